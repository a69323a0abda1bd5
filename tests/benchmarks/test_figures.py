"""How figures are judged and shown."""

import json
import re
import shutil
import subprocess
import sys
from argparse import Namespace

import pytest

from benchmarks import __main__ as command
from benchmarks import figures, machine, page
from benchmarks.figures import Figure, Goal, compared, in_turns, percentile, times
from benchmarks.plots import PLOTS
from benchmarks.support import peak_memory
from benchmarks.tax import without


def test_goals_are_judged_by_the_value():
	assert times("a", "b", 49.9, "at least", 50).as_dict()["met"] is False
	assert times("a", "b", 50, "at least", 50).as_dict()["met"] is True
	assert Figure("a", "b", 3.1, "%", goal=Goal("at most", 3)).as_dict()["met"] is False
	assert times("a", "b", 1).as_dict()["met"] is None


def test_a_missed_goal_stands_out_on_the_page():
	figures = [
		times("push", "this one", 49, "at least", 50).as_dict(),
		times("push", "b", 3, "at most", 4).as_dict(),
	]
	text = page._goals(figures)
	assert "1 of 2 goals are reached." in text
	assert "| this one | 49 times | **at least 50: MISSED** |" in text
	assert "| b | 3 times | at most 4: reached |" in text


def test_works_are_measured_in_turns_and_the_first_round_does_not_count():
	done = []
	works = {"a": lambda: done.append("a"), "b": (lambda: "given", done.append)}
	taken = in_turns(2, works)
	assert done == ["a", "given"] * 3
	assert {name: len(values) for name, values in taken.items()} == {"a": 2, "b": 2}


def test_percentiles_are_values_that_were_measured():
	assert percentile(range(1, 101), 0.99) == 100
	assert percentile([5, 1, 3], 0.5) == 3
	assert percentile([7], 0.99) == 7


def test_numbers_have_three_digits_that_count():
	assert [figures.number(value) for value in (None, 0, 12, 0.5, 1.234, 12.34, 12345.6)] == [
		"",
		"0",
		"12",
		"0.50",
		"1.23",
		"12.3",
		"12,346",
	]


def test_without_the_app_only_its_own_hooks_are_gone():
	hooks = {
		"before_request": ["hisabi_sync.api.protocol.routes.rewrite", "other.app.hook"],
		"doc_events": {"*": {"on_change": ["frappe.desk.notify", "hisabi_sync.engine.capture.on_change"]}},
		"app_title": ["Hisabi Sync"],
	}
	assert without(hooks) == {
		"before_request": ["other.app.hook"],
		"doc_events": {"*": {"on_change": ["frappe.desk.notify"]}},
		"app_title": ["Hisabi Sync"],
	}


def test_the_memory_of_a_new_process_is_not_that_of_its_parent():
	much = bytearray(400 << 20)
	program = "from benchmarks.support import peak_memory; print(peak_memory())"
	told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
	assert 10 < float(told) < 400 <= peak_memory() and much


@pytest.mark.parametrize(
	("names", "quick", "out", "folder"),
	[
		([], False, None, command.DOCS),
		([], True, None, None),
		(["push"], False, None, None),
		([], True, "there", "there"),
		(["profile"], False, None, command.DOCS),
		(["profile"], True, None, None),
	],
)
def test_only_a_whole_run_of_the_usual_size_takes_the_place_of_the_committed_one(names, quick, out, folder):
	options = {"names": names, "quick": quick, "out": out, **dict.fromkeys(command.SIZE_OPTIONS)}
	assert command._folder(Namespace(**options)) == folder
	assert command._folder(Namespace(**{**options, "records": 10})) == out


@pytest.mark.skipif(not shutil.which("git"), reason="git is not on this machine")
@pytest.mark.parametrize("folder", ["hisabi_sync", "benchmarks"])
def test_figures_of_changed_code_are_not_told_to_be_those_of_the_commit(folder, tmp_path, monkeypatch):
	git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.com"]
	(tmp_path / folder).mkdir()
	(tmp_path / folder / "code.py").write_text("1")
	for words in (["init"], ["add", "."], ["commit", "-m", "test: one"]):
		subprocess.run([*git, *words], check=True, capture_output=True)
	monkeypatch.setattr(machine, "ROOT", tmp_path)
	assert re.fullmatch("[0-9a-f]{12}", machine._commit())
	(tmp_path / folder / "code.py").write_text("2")
	assert machine._commit().endswith(" and changes")


def test_the_committed_page_is_made_from_the_committed_figures(tmp_path):
	results = json.loads((command.DOCS / "results.json").read_text())
	plots = [(f"{plot.name}.svg", plot.title) for plot in PLOTS]
	page.write(tmp_path / "README.md", results, plots)
	assert lines(tmp_path / "README.md") == lines(command.DOCS / "README.md")
	assert not [name for name, _ in plots if not (command.DOCS / name).exists()]


def lines(path):
	"""Lines of a page. Versions are in any order: the file of figures is sorted by name."""
	known = "| Versions | "
	return [
		sorted(line.removeprefix(known).strip("| ").split(", ")) if line.startswith(known) else line
		for line in path.read_text().splitlines()
	]


def test_a_machine_that_changes_its_pace_changes_a_ratio():
	figure = compared("push", "ours to theirs", [2, 20, 30], [1, 10, 1], "at most", 3)
	assert (figure.value, figure.spread, figure.as_dict()["met"]) == (2, (2, 30), True)
