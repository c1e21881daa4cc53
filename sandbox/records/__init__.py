"""The other kinds of records: quotes, recurring invoices, products, projects, tasks, expenses, vendors."""
