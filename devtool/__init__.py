"""The developer tool behind ./dev; needs nothing but Python's standard library."""
