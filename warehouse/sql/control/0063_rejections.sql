-- Rejected plans: who rejected which digest, when and why. The plan's own state says so too, and a plan is rejected once.
create table control.rejections (
    source varchar not null,
    plan_id varchar not null,
    digest varchar not null,
    rejected_by varchar not null,
    rejected_at timestamp with time zone not null,
    comment varchar not null
)
