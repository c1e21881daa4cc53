"""The one door for requests: addresses, secrets, limits, retries, TLS."""
