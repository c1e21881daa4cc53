{# The last days of the months before this one, the newest first. #}
{% macro month_ends(months) %}
    {%- set days = [] -%}
    {%- set month = namespace(first=run_started_at.date().replace(day=1)) -%}
    {%- for _ in range(months) -%}
        {%- set last = month.first - modules.datetime.timedelta(days=1) -%}
        {%- do days.append(last) -%}
        {%- set month.first = last.replace(day=1) -%}
    {%- endfor -%}
    {{ return(days) }}
{% endmacro %}
