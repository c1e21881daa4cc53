"""HTTP: access, calls, answers, faults."""
