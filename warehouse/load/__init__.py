"""Load staged pages into the mirror, with their history; find out which clients have vanished."""
