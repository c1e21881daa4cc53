"""HTTP and Invoice Ninja's verbs: the only room that knows the network."""
