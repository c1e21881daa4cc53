-- How many records had which outcome.
select outcome, count(*) from accepted group by outcome
