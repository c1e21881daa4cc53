"""Reading every record of a list that changes while it is read."""
