-- One row per client in a group of duplicates that the last `ninja-sync dedupe find` found.
-- probability: of the client's best pair in its group. reasons: why the two clients of that pair are the same.
create view mart.duplicate_candidates as
with parts as (
    select source, id_a as id, id_b as other, probability, reasons from control.duplicate_pairs
    union all
    select source, id_b, id_a, probability, reasons from control.duplicate_pairs
),
best as (
    select
        p.source, p.id, p.probability, p.reasons,
        row_number() over (partition by p.source, p.id order by p.probability desc, p.other collate "C") as place
    from parts as p
    join control.duplicate_clusters as a on a.source = p.source and a.id = p.id
    join control.duplicate_clusters as b on b.source = p.source and b.id = p.other and b.cluster_id = a.cluster_id
)
select
    k.source, k.cluster_id, k.id, c.number, c.display_name, c.status, c.currency_code, c.balance, c.paid_to_date,
    c.vat_number, c.id_number, c.contact_email, c.phone, c.address1, c.city, c.postal_code, c.country,
    b.probability, cast(b.reasons as varchar) as reasons, k.found_at
from control.duplicate_clusters as k
join mart.clients as c on c.source = k.source and c.id = k.id
left join best as b on b.source = k.source and b.id = k.id and b.place = 1
