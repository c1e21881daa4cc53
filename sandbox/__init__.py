"""A stand-in Invoice Ninja server for rehearsals and tests. Imports none of the other rooms."""
