"""Run the stand-in server: the sandbox, the demo, and rehearsals."""
