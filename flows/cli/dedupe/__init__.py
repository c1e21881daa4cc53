"""The commands of `ninja-sync dedupe`."""
