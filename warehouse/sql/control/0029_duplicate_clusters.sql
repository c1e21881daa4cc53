-- The clusters of the last run of a source: the clients that are taken for one, by the smallest id among them.
create table control.duplicate_clusters (
    source varchar not null,
    cluster_id varchar not null,
    id varchar not null,
    found_at timestamp with time zone not null
)
