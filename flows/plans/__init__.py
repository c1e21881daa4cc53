"""Apply and approve plans of both kinds, push and merge."""
