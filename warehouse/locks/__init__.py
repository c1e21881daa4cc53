"""Locks: one run at a time for each source, and turns at a host."""
