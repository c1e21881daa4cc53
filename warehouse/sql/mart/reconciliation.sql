-- One row per client and figure that its documents do not explain: balance, paid_to_date or credit_balance.
-- balance against the balances of its invoices that are not deleted. paid_to_date against its payments less refunds, and
-- the credits that payments used, less the amounts paid on reversed invoices. credit_balance against its credits.
-- payment_balance is left out: the server corrects it late, so no sum explains it. A source is here once its invoices,
-- payments and credits have been read. difference: the client's figure less that of its documents.
-- reason: the likeliest cause, by what fits the difference exactly. other_id: the other client of a merge that stopped.
create view mart.reconciliation as
with sources_read as (
    select source from control.watermarks
    where entity in ('invoices', 'payments', 'credits')
    group by source having count(*) = 3
),
invoiced as (
    select
        source, client_id, count(*) as documents,
        sum(case when is_deleted then 0 else balance end) as balance,
        sum(case when is_deleted then balance else 0 end) as deleted_balance,
        sum(case when status_id = '6' and not is_deleted then paid_to_date else 0 end) as reversed
    from ninja.invoices
    group by source, client_id
),
received as (
    select source, client_id, count(*) as documents, sum(amount - refunded) as amount
    from ninja.payments
    where not is_deleted and coalesce(status_id, '4') <> '3'
    group by source, client_id
),
used as (
    select p.source, p.client_id, sum(a.amount - a.refunded) as amount
    from ninja.payments as p
    join ninja.payment_applications as a on a.source = p.source and a.payment_id = p.id
    where a.credit_id is not null and not p.is_deleted
    group by p.source, p.client_id
),
credited as (
    select
        source, client_id, count(*) as documents,
        sum(case when is_deleted then 0 else balance end) as balance,
        sum(case when not is_deleted and due_date < current_date then balance else 0 end) as expired
    from ninja.credits
    group by source, client_id
),
compared as materialized (
    select
        c.source, c.id, c.balance, c.paid_to_date, c.credit_balance, c.updated_at,
        cast(coalesce(i.balance, 0) as decimal(38, 6)) as invoices,
        cast(coalesce(r.amount, 0) + coalesce(u.amount, 0) - coalesce(i.reversed, 0) as decimal(38, 6)) as payments,
        cast(coalesce(k.balance, 0) as decimal(38, 6)) as credits,
        cast(coalesce(i.deleted_balance, 0) as decimal(38, 6)) as deleted_balance,
        cast(coalesce(k.expired, 0) as decimal(38, 6)) as expired,
        coalesce(i.documents, 0) + coalesce(r.documents, 0) + coalesce(k.documents, 0) as documents
    from ninja.clients as c
    join sources_read as s on s.source = c.source
    left join invoiced as i on i.source = c.source and i.client_id = c.id
    left join received as r on r.source = c.source and r.client_id = c.id
    left join used as u on u.source = c.source and u.client_id = c.id
    left join credited as k on k.source = c.source and k.client_id = c.id
),
different as materialized (
    select * from compared
    where balance <> invoices or paid_to_date <> payments or credit_balance <> credits
),
owners as (  -- the clients that have documents of these sums: many, where they are small
    select
        source, invoices, payments, credits, count(*) as clients, min(id) as first_id, max(id) as last_id,
        count(differing) as differing, min(differing) as first_differing, max(differing) as last_differing
    from (
        select
            c.*,
            case when balance <> invoices or paid_to_date <> payments or credit_balance <> credits then id end as differing
        from compared as c
    ) as marked
    where invoices <> 0 or payments <> 0
    group by source, invoices, payments, credits
),
others as (
    select
        d.source, d.id, o.clients, o.first_id, o.last_id, o.differing, o.first_differing, o.last_differing,
        case when d.invoices = o.invoices and d.payments = o.payments and d.credits = o.credits then 1 else 0 end as itself
    from different as d
    join owners as o
        on o.source = d.source and o.invoices = d.balance - d.invoices and o.payments = d.paid_to_date - d.payments
        and o.credits = d.credit_balance - d.credits
),
halves as (  -- a merge adds the figures first, and moves the documents one after the other, so the other client differs too
    select
        source, id,
        case
            when differing - itself = 1 then case when first_differing <> id then first_differing else last_differing end
            else case when first_id <> id then first_id else last_id end
        end as other_id
    from others
    where differing - itself = 1 or clients - itself = 1
),
single as (  -- balances of one document that can explain a difference
    select distinct source, client_id, 'balance' as figure, balance from ninja.invoices where is_deleted and balance <> 0
    union all
    select distinct source, client_id, 'credit_balance', balance from ninja.credits where not is_deleted and balance <> 0
),
figures as (
    select d.*, 'balance' as figure, d.balance as of_client, d.invoices as of_documents from different as d
    union all
    select d.*, 'paid_to_date', d.paid_to_date, d.payments from different as d
    union all
    select d.*, 'credit_balance', d.credit_balance, d.credits from different as d
)
select
    f.source, f.id as client_id, c.number as client_number, c.display_name as client_name, c.status as client_status,
    c.currency_code, f.figure, f.of_client, f.of_documents,
    cast(f.of_client - f.of_documents as decimal(38, 6)) as difference,
    case
        when abs(f.of_client - f.of_documents) < 0.01 * greatest(f.documents, 1) and abs(f.of_client - f.of_documents) < 1
            then 'rounding'
        when h.other_id is not null then 'a merge that stopped half way'
        when f.documents = 0 then 'no documents: figures of an import, or of a merge that stopped half way'
        when f.figure = 'balance' and (f.of_client - f.of_documents = f.deleted_balance or s.balance is not null)
            then 'a deleted invoice is still counted'
        when f.figure = 'credit_balance' and f.of_documents - f.of_client = f.expired and f.expired <> 0
            then 'an expired credit is no longer counted'
        when f.figure = 'credit_balance' and s.balance is not null then 'a restored credit is counted twice'
        else 'unknown'
    end as reason,
    h.other_id
from figures as f
join mart.clients as c on c.source = f.source and c.id = f.id
left join halves as h on h.source = f.source and h.id = f.id
left join single as s
    on s.source = f.source and s.client_id = f.id and s.figure = f.figure and s.balance = f.of_client - f.of_documents
where f.of_client <> f.of_documents
