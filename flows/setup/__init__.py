"""Set up an installation: init, doctor, rebind."""
