"""Pure values: entities and their fields, Arrow types, errors. Imports neither of the rooms above."""
