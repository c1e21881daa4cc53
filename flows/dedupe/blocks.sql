-- Each client with the keys to look for pairs by, the number of clients that share its name, and its rare words.
with words as (
    select word, count(*) as n from (select unnest(words) as word from clients) group by word
),
rare as (
    select id, list(word order by word) as rare_words
    from (select id, unnest(words) as word from clients) join words using (word)
    where n <= greatest(4, $rare_share * (select count(*) from clients))
    group by id
),
known as (
    select
        c.*, r.rare_words, count(*) over (partition by name) as namesakes,
        count(*) over (partition by street, house, city) as neighbours
    from clients as c left join rare as r using (id)
),
keys as (
    select distinct id, unnest(list_concat(
        [
            'vat ' || vat_number, 'id ' || id_number, 'name ' || name, 'tight ' || tight, 'domain ' || domain,
            'street ' || street || '/' || house, 'street ' || street || '/' || city, 'code ' || postal_code || '/' || house,
            'city ' || city || '/' || house, 'start ' || tight[1:4] || '/' || postal_code
        ],
        list_transform(emails, lambda x: 'mail ' || x),
        list_transform(phones, lambda x: 'phone ' || x),
        list_transform(words, lambda x: 'word ' || x || '/' || postal_code),
        list_transform(words, lambda x: 'word ' || x || '/' || city),
        list_transform(words, lambda x: 'word ' || x || '/' || house)
    )) as key
    from clients
),
blocks as (
    select key, count(*) as n from keys where key is not null group by key having count(*) > 1
),
kept as (
    select id, list(hash(key) order by key) as keys from keys join blocks using (key) where n <= $largest group by id
)
select
    known.*, kept.keys, case when namesakes <= $largest then name end as name_key,
    case when neighbours <= $largest then street || '/' || house || '/' || city end as address_key, (select count(*) from blocks where n > $largest) as too_large
from known left join kept using (id)
order by id
