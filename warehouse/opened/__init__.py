"""A warehouse opened: migrated, rebuilt, restored."""
