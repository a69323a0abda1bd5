"""Options of the test run: how thorough it is, and the seed by which it can be run again."""

import secrets

import pytest
from hypothesis import HealthCheck, settings

CHAOS = 50  # times the usual number of examples
LONGEST = ("engine", "desk", "wallet_api", "family", "walls", "chaos")
_scale = 1


def pytest_addoption(parser):
	parser.addoption("--chaos", action="store_true", help="thousands of examples, and crashes for minutes")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
	global _scale
	_scale = CHAOS if config.getoption("--chaos") else 1
	if config.getoption("hypothesis_seed", None) is None:
		config.option.hypothesis_seed = str(secrets.randbelow(1 << 32))


@pytest.hookimpl(wrapper=True)  # pytest-xdist reads the groups before any other hook
def pytest_collection_modifyitems(items):
	"""Tests of one folder share what is slow to make: with pytest-xdist they stay in one process, the longest first."""
	items.sort(key=lambda item: LONGEST.index(_folder(item)) if _folder(item) in LONGEST else len(LONGEST))
	for item in items:
		item.add_marker(pytest.mark.xdist_group(_folder(item)))
	return (yield)


def _folder(item):
	return item.nodeid.split("/")[1]


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
