"""The records that no server can give back: runs, plans, approvals, decisions, the journal, erasures."""
