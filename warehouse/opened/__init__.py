"""Open a warehouse; migrate, rebuild, back up and restore it."""
