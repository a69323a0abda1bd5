"""Short runs of the lab itself, with everything that a long one has: on our engine, and on one that is broken."""

import os
import re
import subprocess
import sys

from tests.support.options import scale

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
