-- What each call was to change of which client: its fields before and after, and what became of it (NULL while that is
-- unknown). It is what an undo goes by, and is erased with the client.
create table control.journal_edits (
    source varchar not null,
    call_id varchar not null,
    place bigint not null,
    id varchar not null,
    before json not null,
    after json not null,
    outcome varchar
)
