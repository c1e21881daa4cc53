"""The database of the stand-in, and the versions of Invoice Ninja."""
