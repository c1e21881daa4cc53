"""Backups, restores and erasures."""
