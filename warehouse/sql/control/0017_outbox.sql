-- Wishes: what somebody wants changed on the server, one field of one client a row. A plan takes them up and notes itself.
-- Who may write here, may not choose the author or the time.
create table control.outbox (
    wish_id uuid not null default gen_random_uuid(),
    source varchar not null,
    id varchar not null,
    field varchar not null,
    value varchar,
    reason varchar,
    author varchar not null default current_user,
    wished_at timestamp with time zone not null default now(),
    plan_id varchar
)
