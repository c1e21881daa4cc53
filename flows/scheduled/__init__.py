"""Flows for Prefect. Each calls the same functions as the command line.

Prefect stores everything it gets in clear: parameters, messages, tracebacks, log lines, artifacts. So it gets names of
sources and files, counts, and errors in our own words, and nothing else. No result is cached or stored. Tasks read
secrets themselves, from the places that the settings name.
"""
