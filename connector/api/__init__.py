"""What stands around clients: the company, statics, activities, the presence of records."""
