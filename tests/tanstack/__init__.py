"""The example for TanStack DB, with the real library."""
