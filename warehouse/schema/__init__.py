"""Tables, views, comments and rights."""
