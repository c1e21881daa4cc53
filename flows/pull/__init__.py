"""From Invoice Ninja into the warehouse."""
