"""Finding clients that are one: comparable forms, keys, a model, reasons in words, clusters, decisions."""
