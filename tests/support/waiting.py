"""Waiting for what another process does."""

import time


def until(happened, seconds=60):
	"""Return once it is so; a minute without it is a failure."""
	deadline = time.monotonic() + seconds
	while not happened():
		assert time.monotonic() < deadline, f"it never happened: {happened}"
		time.sleep(0.02)
