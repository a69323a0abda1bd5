"""A pytest plugin that runs the tests where Frappe expects to run: in a bench's sites folder.

Processes of pytest-xdist have a bench each: with one site, tests would see what others write and queue.
"""

import json
import os

from pytest import Session

_worker = os.environ.get("PYTEST_XDIST_WORKER")
if _worker:
	os.environ.update(json.loads(os.environ["HISABI_PLACES"])[int(_worker.removeprefix("gw"))])


def pytest_sessionstart(session: Session) -> None:
	# After the arguments were read, which are relative to the repository; Frappe's logs are at ../logs.
	"""pytest's hook: tests run in the folder of the sites."""
	if _worker or not session.config.getoption("numprocesses", None):
		os.chdir(os.environ["SITES_PATH"])
