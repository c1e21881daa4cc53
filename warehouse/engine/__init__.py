"""The two engines, DuckDB and Postgres, behind one seam."""
