"""Options of the test run: how thorough it is, and the seed by which it can be run again."""

import os
import secrets

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

CHAOS = 50  # times the usual number of examples
LONGEST = ("desk", "capture", "runs", "engine", "demo_data", "walls", "family", "wallet_api")
SEED = "HISABI_SEED"
_scale = 1


def pytest_addoption(parser):
	parser.addoption("--chaos", action="store_true", help="thousands of examples, and crashes for minutes")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
	global _scale
	_scale = CHAOS if config.getoption("--chaos") else 1
	if config.getoption("hypothesis_seed", None) is None:
		# By the environment, for all processes of one run have the same.
		config.option.hypothesis_seed = os.environ.setdefault(SEED, str(secrets.randbelow(1 << 32)))


class FolderScheduling(LoadScopeScheduling):
	"""Tests of one folder share what is slow to make, so pytest-xdist keeps them in one process."""

	def _split_scope(self, nodeid):
		return nodeid.split("/")[1]


def pytest_xdist_make_scheduler(config, log):
	return FolderScheduling(config, log)


def pytest_collection_modifyitems(items):
	"""The longest folders begin, so that the processes end at about the same time."""
	order = {folder: number for number, folder in enumerate(LONGEST)}
	items.sort(key=lambda item: order.get(item.nodeid.split("/")[1], len(order)))


def pytest_report_header(config):
	return f"seed: {config.getoption('hypothesis_seed', None)} (again with --hypothesis-seed=...)"


def scale():
	"""By how much more than usual is to be tried."""
	return _scale


def examples(count, **more):
	"""Settings of a test with so many examples; a failure prints what reproduces it."""
	return settings(
		max_examples=count * _scale,
		deadline=None,
		database=None,
		print_blob=True,
		suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
		**more,
	)
