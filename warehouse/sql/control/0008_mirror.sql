-- Of which version the tables of `ninja` are, in one row, and a fingerprint of their columns.
create table control.mirror (
    version integer not null,
    fingerprint varchar not null
)
