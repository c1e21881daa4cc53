"""Setting up: init, doctor, rebind."""
