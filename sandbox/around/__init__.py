"""What stands around clients: documents, groups, statements, webhooks."""
