"""Pictures of tables: panels on a page, each with the amounts of one currency."""
