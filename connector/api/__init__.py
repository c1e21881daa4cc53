"""The subjects around clients: the company, statics, activities, the presence of records."""
