-- Plans of merges are in `control.plans`; the merges themselves stay in `control.merge_steps`.
drop table control.merge_plans
