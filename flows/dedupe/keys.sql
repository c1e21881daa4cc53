-- The keys to look for pairs by, as hashes of their kind and values. A strong one makes a pair alone; a weak one needs
-- another, or names that are alike. Each client has each of its keys once.
with distinct_words as (
    select *, list_distinct(words) as own_words from known
),
spelled as (
    select n, true as strong, unnest(list_concat(
        [
            case when vat_digits is not null then hash('vat', vat_digits) end,
            case when id_number is not null then hash('id', id_number) end,
            case when tight is not null then hash('tight', tight) end,
            case when domain is not null then hash('domain', domain) end,
            case when street is not null and house is not null then hash('street', street, house, coalesce(city, postal_code, '')) end
        ],
        list_transform(emails, lambda x: hash('mail', x)),
        list_transform(phones, lambda x: hash('phone', x)),
        list_transform(list_distinct(list_concat([name], persons)), lambda x: hash('name', x))
    )) as key
    from known
    union all
    select n, false, unnest(list_concat(
        [
            case when postal_code is not null and house is not null then hash('code', postal_code, house) end,
            case when street is not null and house is not null then hash('place', street, house) end,
            case when tight is not null and postal_code is not null then hash('begins', tight[1:4], postal_code) end,
            case when tight is not null then hash('start', tight[1:5]) end,
            case when postal_code is not null and house is not null then hash('digits', list_sort(string_split(postal_code, '')), house) end,
            case when street is not null and house is not null then hash('house', street[1:5], house) end,
            case when street is not null and postal_code is not null then hash('way', street, postal_code) end,
            case when street is not null and city is not null then hash('road', street, city) end
        ],
        case when postal_code is not null then list_transform(own_words, lambda x: hash('word, code', x, postal_code)) end,
        case when city is not null then list_transform(own_words, lambda x: hash('word, city', x, city)) end,
        case when house is not null then list_transform(own_words, lambda x: hash('word, house', x, house)) end,
        list_transform(list_distinct(rare_words), lambda x: hash('word', x)),
        list_distinct(list_transform(emails, lambda x: hash('box', split_part(x, '@', 1))))
    ))
    from distinct_words
)
select n, key, strong from spelled where key is not null
