-- What the stored forms and scores of a source were made by: digests of the code and the model, the lowest probability
-- that is stored, and the number of searches. A search by another basis compares all clients again.
create table control.duplicate_basis (
    source varchar not null,
    forms varchar not null,
    scores varchar not null,
    least double precision not null,
    searches bigint not null
)
