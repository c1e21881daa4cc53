"""Questions to the warehouse: SQL, balances, frames, plots, exports."""
