-- What the book as a whole shows: whether an address belongs to one client. It does if hardly any two clients share a
-- house without sharing a word of their names: so in lists of persons or sites, but not where families and offices are.
-- At most about 20,000 pairs are looked at.
with houses as (
    select *, count(*) over (partition by street, house, coalesce(city, postal_code, '')) as holders,
        count(*) over () as located
    from known where street is not null and house is not null and words is not null
),
pairs as (
    select a.words as words_a, b.words as words_b, a.tight as tight_a, b.tight as tight_b
    from houses as a join houses as b
        on a.street = b.street and a.house = b.house and a.n < b.n
        and coalesce(a.city, a.postal_code, '') = coalesce(b.city, b.postal_code, '')
    where a.holders <= 12 and hash(a.street, a.house) % (1 + a.located // 20000) = 0
),
judged as (
    select left_over(words_a, words_b) = len(words_a)
        and damerau_levenshtein(tight_a, tight_b) > greatest(length(tight_a), length(tight_b)) / 3 as unlike
    from pairs
)
select coalesce(count(*) >= 50 and count(*) filter (unlike) <= 0.1 * count(*), false) as own_addresses from judged
