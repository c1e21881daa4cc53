"""The sentences: pull, status, publish; the command line and the Prefect flows over them."""
