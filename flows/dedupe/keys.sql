-- The keys to look for pairs by. A strong one makes a pair alone; a weak one needs another, or names that are alike.
-- A key that too many clients hold makes no pairs: $strong_cap for a strong one, $weak_cap for a weak one.
with spelled as (
    select n, true as strong, unnest(list_concat(
        [
            'vat ' || vat_digits, 'id ' || id_number, 'name ' || name, 'tight ' || tight, 'domain ' || domain,
            'street ' || street || '/' || house || '/' || coalesce(city, postal_code, '')
        ],
        list_transform(emails, lambda x: 'mail ' || x),
        list_transform(phones, lambda x: 'phone ' || x),
        list_transform(persons, lambda x: 'name ' || x)
    )) as key
    from known
    union all
    select n, false, unnest(list_concat(
        [
            'code ' || postal_code || '/' || house, 'place ' || street || '/' || house, 'start ' || tight[1:4] || '/' || postal_code,
            'start ' || tight[1:5], 'digits ' || list_aggregate(list_sort(string_split(postal_code, '')), 'string_agg', '') || '/' || house,
            'street ' || street[1:5] || '/' || house, 'way ' || street || '/' || postal_code, 'way ' || street || '/' || city
        ],
        list_transform(words, lambda x: 'word ' || x || '/' || postal_code),
        list_transform(words, lambda x: 'word ' || x || '/' || city),
        list_transform(words, lambda x: 'word ' || x || '/' || house),
        list_transform(rare_words, lambda x: 'word ' || x),
        list_transform(emails, lambda x: 'box ' || split_part(x, '@', 1))
    ))
    from known
),
hashed as (
    select n, bool_or(strong) as strong, hash(key) as key from spelled where key is not null group by n, hash(key)
),
held as (
    select *, count(*) over (partition by key) as holders from hashed
)
select n, key, strong, holders from held where holders > 1
