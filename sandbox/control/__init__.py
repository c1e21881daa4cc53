"""Switches and routes with which tests steer the server."""
