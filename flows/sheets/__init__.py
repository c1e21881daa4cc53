"""Spreadsheets as people write them: CSV and Excel."""
