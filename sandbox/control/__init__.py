"""Switches and routes by which tests steer the server."""
