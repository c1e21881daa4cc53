"""DuckDB (and, later, Postgres): tables, SQL files, one transaction per load."""
