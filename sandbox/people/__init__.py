"""Invented businesses and people."""
