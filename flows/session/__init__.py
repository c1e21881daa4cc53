"""The parts that every run needs: clock, door, open warehouse, password, journal of writes."""
