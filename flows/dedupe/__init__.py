"""Find duplicate clients: comparable forms, keys, a model, reasons in words, clusters, decisions."""
