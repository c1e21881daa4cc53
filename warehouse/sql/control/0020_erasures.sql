-- The proof that a client was erased, without saying which one: `mark` is a salted hash of its source and id. With it the
-- client is known again while the server still lists it (`listed`), and left out. `finished_at` is NULL while files, or
-- dead rows, may still hold what is erased.
create table control.erasures (
    source varchar not null,
    mark varchar not null,
    reason varchar not null,
    erased_at timestamp with time zone not null,
    finished_at timestamp with time zone,
    listed boolean not null,
    kept_balances boolean not null,
    removed bigint not null
)
