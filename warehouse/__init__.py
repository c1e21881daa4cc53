"""DuckDB and Postgres: tables, SQL files, one transaction per load."""
