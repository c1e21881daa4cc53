"""Staged pages into the mirror, with history and vanished clients."""
