"""Clients: their routes, filters, input, JSON, merges and purges."""
