-- Records of erased clients that the server still lists, and pulls leave out: `mark` is a salted hash of entity and id.
create table control.left_out_records (
    source varchar not null,
    entity varchar not null,
    mark varchar not null
)
