-- Rates of exchange: the value of one unit of a currency in the company's currency, from a day on.
-- `origin` is file (a person's) or server (its lists).
create table control.exchange_rates (
    source varchar not null,
    day date not null,
    currency_code varchar not null,
    company_currency varchar not null,
    rate decimal(18, 8) not null,
    origin varchar not null,
    noted_at timestamp with time zone not null
)
