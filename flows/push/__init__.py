"""Changes back to Invoice Ninja: plan, show, apply, undo."""
