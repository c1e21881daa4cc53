"""Ledger, activities, company and lookups."""
