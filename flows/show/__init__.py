"""Results for people: tables, confirmations, output files."""
