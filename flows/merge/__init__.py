"""Merging duplicates: plan, show, apply, resume."""
