"""The flows that Prefect runs: each over the same functions that the command line calls, and nothing beside them.

Prefect keeps what it is given, in clear: parameters, messages, tracebacks, log lines, artifacts. So names alone go in
(of a source, of a file), counts alone come out, and an error is told in our own words. Nothing is cached or stored as
a result. Secrets are read inside a task, from where the settings say they are.
"""
