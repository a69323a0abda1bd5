"""The real WatermelonDB, and the calls of its dialect."""
