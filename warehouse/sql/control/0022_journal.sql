-- Every call that writes to the server, noted before it is sent (`intended`) and after it was read back (`settled`); an
-- intended call without a settled one was cut off. Rows are only added, and chained: `digest` is the SHA-256 of the row
-- with the digest before it, so that a row which was changed or taken out shows. Clients are told by the salted marks of
-- `control.erasures`: nothing in here names a person.
create table control.journal (
    source varchar not null,
    number bigint not null,
    call_id varchar not null,
    noted_at timestamp with time zone not null,
    operator varchar not null,
    plan_id varchar,
    verb varchar not null,
    state varchar not null,
    clients json not null,
    message varchar not null,
    previous varchar not null,
    digest varchar not null
)
