"""The commands of `ninja-sync clients`."""
