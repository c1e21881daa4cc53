-- The comparable forms of the clients that the last search for duplicates compared. `inputs` is a hash of the values
-- that they were made of, `print` one of all that a comparison knows of the client and its place in the book.
create table control.duplicate_forms (
    source varchar not null,
    id varchar not null,
    inputs varchar not null,
    print bigint not null,
    forms varchar not null
)
