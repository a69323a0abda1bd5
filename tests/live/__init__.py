"""Live events, from a real process with real Redis and a real web server."""
