"""The records around clients: documents, groups, statements, webhooks."""
