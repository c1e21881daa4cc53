"""Write copies for readers: published copies, exports, a rewritten file."""
