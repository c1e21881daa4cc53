-- Models of duplicates that were learned from decisions, at most one a source in use; none in use: the shipped model.
-- `kind` is book or list, `figures` and `weights` are JSON. They hold numbers only, nothing of a client.
create table control.duplicate_models (
    source varchar not null,
    model_id varchar not null,
    made_at timestamp with time zone not null,
    author varchar not null,
    kind varchar not null,
    decisions bigint not null,
    figures json not null,
    weights json not null,
    in_use boolean not null,
    primary key (source, model_id)
)
