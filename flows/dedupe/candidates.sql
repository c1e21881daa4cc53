-- One part of the pairs to compare: the numbers of two clients that share a strong key, two weak ones, or one weak key
-- and a similar name. At least one of the two is to be compared again.
with pairs as (
    select least(a.n, b.n) as l, greatest(a.n, b.n) as r, bool_or(a.strong) as strong, count(*) as shared
    from keys as a join keys as b using (key)
    where a.again and a.n <> b.n and (a.n < b.n or not b.again) and a.n % $parts = $part
    group by 1, 2
)
select l, r from pairs join known as a on a.n = l join known as b on b.n = r
where pairs.strong or pairs.shared >= 2 or jaro_winkler_similarity(a.tight, b.tight) >= 0.88
