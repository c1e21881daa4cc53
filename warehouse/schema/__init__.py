"""Tables, views, their comments, and the rights of roles."""
