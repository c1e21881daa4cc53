"""Statements of account as PDF files."""
