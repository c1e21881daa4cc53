"""A stand-in Invoice Ninja 5.10.42 server over a real SQLite database. Imports none of the other rooms."""
