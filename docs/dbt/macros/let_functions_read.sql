{# DuckDB looks for the views that a function of a day reads in its search path, and the copy is another database. #}
{% macro let_functions_read() %}
    {%- if target.type == 'duckdb' -%} set search_path = 'main,ninja_sync.mart_public' {%- endif -%}
{% endmacro %}
