-- With which servers a token or a password was used, by the name of its place; a new server needs a person's word.
create table control.secret_hosts (
    name varchar not null,
    base_url varchar not null,
    noted_at timestamp with time zone not null,
    primary key (name, base_url)
)
