"""The stand-in server as a command, the demo, and rehearsals on it."""
