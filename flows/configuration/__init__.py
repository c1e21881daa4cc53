"""The settings of an installation, from `ninja-sync.toml` and the environment."""
