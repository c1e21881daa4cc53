"""One run at a time, and turns at a host."""
