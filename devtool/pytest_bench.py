"""A pytest plugin that runs the tests where Frappe expects to run: in the bench's sites folder."""

import os


def pytest_sessionstart() -> None:
	# After the arguments were read, which are relative to the repository; Frappe's logs are at ../logs.
	os.chdir(os.environ["SITES_PATH"])
