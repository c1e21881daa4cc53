-- Which plans are asked to be approved, by which flow run of Prefect (`asked_by`; NULL where nobody asked), and who has
-- approved them: a row for each plan, push or merge, and the digest that it had. Only what has `approved_at` is approved.
create table control.approvals (
    source varchar not null,
    plan_id varchar not null,
    digest varchar not null,
    asked_by varchar,
    asked_at timestamp with time zone,
    approved_by varchar,
    approved_at timestamp with time zone
)
