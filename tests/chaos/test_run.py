"""Short runs of the lab itself, with everything that a long one has: on our engine, and on one that is broken."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.options import scale

pytestmark = pytest.mark.thorough  # minutes long

HAPPENS = (
	"changes in the Desk",
	"runs with the other system",
	"orders on the other side",
	"looks at a space",
)
BROKEN = ("committed and stays", "every change that was committed before it began")


def run(folder, *options):
	"""(exit status, what was printed) of a run."""
	command = [sys.executable, "-m", "chaos", "--short", *options]
	env = os.environ | {"HISABI_CHAOS": str(folder)}
	done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600 * scale())
	return done.returncode, done.stdout + done.stderr


def test_all_promises_are_kept_while_everything_is_hurt(tmp_path):
	status, told = run(tmp_path, "--minutes", str(0.25 * scale()), "--devices", str(60 * scale()))
	assert status == 0, told[-20_000:]
	assert len(re.findall(r"fault: ", told)) >= 2, told  # one that is slow to heal leaves no time for more
	# A promise about what nobody does is kept always.
	assert not re.findall(r"done: .*[^\d]0\b", told), told
	numbers = {name: int(re.search(rf"{name}\W+(\d+)", told)[1]) for name in HAPPENS}
	assert all(numbers.values()), told


def test_nothing_stays_behind_when_a_run_is_broken_off(tmp_path):
	command = [sys.executable, "-m", "chaos", "--short", "--minutes", "1", "--seed", "7"]
	env, journal = os.environ | {"HISABI_CHAOS": str(tmp_path)}, tmp_path / "7" / "journal.jsonl"
	with (tmp_path / "said").open("w") as said:
		lab = subprocess.Popen(command, env=env, stdout=said, stderr=said)
	deadline = time.monotonic() + 180
	while not (journal.exists() and '"kind": "fault"' in journal.read_text()):
		assert lab.poll() is None and time.monotonic() < deadline, (tmp_path / "said").read_text()
		time.sleep(0.05)
	assert len(of_the_lab(tmp_path)) > 3
	lab.terminate()
	assert lab.wait(180) == 130, (tmp_path / "said").read_text()
	assert not of_the_lab(tmp_path)


def of_the_lab(folder):
	"""Command lines of processes that have to do with a folder, by what they say or by where they are."""
	found = []
	for process in Path("/proc").glob("[0-9]*"):
		try:
			words, place = (process / "cmdline").read_bytes(), os.readlink(process / "cwd")
		except OSError:
			continue
		if str(folder) in words.decode(errors="replace") + place:
			found.append(words)
	return found


def test_an_engine_that_loses_changes_is_found(tmp_path):
	options = ("--seed", "7", "--minutes", "0.1", "--application", "tests.chaos.broken:application")
	status, told = run(tmp_path, *options)
	assert status == 1, told[-20_000:]
	for promise in BROKEN:
		assert re.search(f"^BROKEN: .*{promise}", told, re.M), told[-20_000:]
	history = told.partition("BROKEN: ")[2]
	assert "seed 7" in history
	assert re.search(r"s  d\d+ +d\d+-\d+ create .* is sent", history)
	assert re.search(r"s  d\d+ +d\d+-\d+ is answered: accepted version 1", history)
