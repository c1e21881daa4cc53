"""What is precious: runs, plans, approvals, decisions, the journal, erasures."""
