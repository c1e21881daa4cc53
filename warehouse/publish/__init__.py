"""Copies for readers."""
