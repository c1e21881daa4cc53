"""Back up, restore, and erase."""
