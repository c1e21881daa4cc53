"""What plans of both kinds have in common: the road on which they are applied, and approvals."""
