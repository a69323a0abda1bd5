"""The benchmarks run, all of them, and tell what they found; how fast anything is, is not asked here."""

import json
import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.page import TITLES
from benchmarks.plots import PLOTS

pytestmark = pytest.mark.thorough  # minutes long


@pytest.fixture(scope="module")
def benchmark(site):
	"""Run `./dev benchmark` with arguments on the test site; returns the finished process."""

	def run(*arguments):
		command = [sys.executable, "-m", "benchmarks", "--quick", *map(str, arguments)]
		return subprocess.run(
			command, cwd=os.environ["SITES_PATH"], capture_output=True, text=True, timeout=300
		)

	return run


@pytest.fixture(scope="module")
def folder(benchmark, tmp_path_factory):
	"""What a whole small run wrote."""
	made = tmp_path_factory.mktemp("benchmarks")
	done = benchmark("--out", made)
	assert done.returncode == 0, done.stdout + done.stderr
	return made


@pytest.fixture(scope="module")
def results(folder):
	return json.loads((folder / "results.json").read_text())


def test_every_part_has_figures(results):
	assert {figure["part"] for figure in results["figures"]} == {*BENCHMARKS, "growth"} == set(TITLES)


def test_every_figure_is_a_number_beside_its_limit_and_goal(results):
	for figure in results["figures"]:
		assert isinstance(figure["value"], (int, float)), figure
		assert (figure["ratio"] is None) == (not figure["limit"]), figure
		assert (figure["met"] is None) == (figure["goal"] is None), figure
	assert sum(figure["goal"] is not None for figure in results["figures"]) >= 10


def test_machine_and_versions_are_told(results):
	assert results["machine"]["processor"] and results["processors"] and results["quick"] is True
	assert {"Python", "Frappe", "MariaDB", "Redis"} <= set(results["versions"])


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.name)
def test_plot_is_there_and_shows_values(folder, plot):
	text = (folder / f"{plot.name}.svg").read_text()
	ElementTree.fromstring(text)
	assert "No data" not in text and "<script" not in text


def test_page_has_a_table_for_each_part_and_no_picture_that_is_missing(folder):
	page = (folder / "README.md").read_text()
	assert [line for line in page.splitlines() if line.startswith("## ")] == [
		"## Goals",
		*(f"## {title}" for title in TITLES.values()),
	]
	for plot in PLOTS:
		assert f"({plot.name}.svg)" in page


def test_the_plain_way_leaves_nothing_behind(folder):
	import frappe

	from benchmarks.plain import PLAIN

	assert not frappe.db.exists("DocType", PLAIN)
	assert not frappe.db.sql("SHOW TABLES LIKE %s", (f"tab{PLAIN}",))


def test_a_profile_names_our_modules(benchmark, tmp_path):
	done = benchmark("profile", "--out", tmp_path)
	assert done.returncode == 0, done.stdout + done.stderr
	text = (tmp_path / "profile.md").read_text()
	assert "hisabi_sync.engine.push.push" in text and "hisabi_sync.engine.pull.pull" in text


def test_an_unknown_name_is_refused(benchmark):
	done = benchmark("nonsense")
	assert done.returncode == 2 and "nonsense" in done.stderr
