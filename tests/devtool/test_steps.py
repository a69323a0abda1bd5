"""A set-up that was interrupted goes on where it stopped, and one that is done is not done again."""

import fcntl
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from devtool import steps
from devtool.processes import wait_for
from tests.devtool.conftest import ROOT


@pytest.fixture
def done(tmp_path):
	"""Do a step with these inputs unless that was done before; `fails` breaks it off. Returns whether it was done."""
	places = SimpleNamespace(logs=tmp_path / "logs", stamps=tmp_path / "stamps")

	def do(inputs, fails=None):
		def action(current):
			current.log.write_text("under way")
			if fails:
				raise fails

		return steps.once(places, "A step", "a-step", inputs, action)

	return do


def test_a_step_that_is_done_is_not_done_again(done):
	assert [done("pins"), done("pins")] == [True, False]


def test_a_step_is_done_again_when_what_it_is_made_from_changes(done):
	assert [done("pins"), done("other pins"), done("other pins")] == [True, True, False]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError("No space left on device")])
def test_a_step_that_was_broken_off_is_done_the_next_time(done, fault):
	with pytest.raises(type(fault) if isinstance(fault, OSError) else fault):
		done("pins", fails=fault)
	assert [done("pins"), done("pins")] == [True, False]


def test_a_step_that_was_done_and_is_broken_off_when_done_anew_does_not_count_as_done(done):
	done("pins")
	with pytest.raises(KeyboardInterrupt):
		done("other pins", fails=KeyboardInterrupt)
	assert done("pins")


SLOW = """
import sys
from pathlib import Path
from types import SimpleNamespace
from devtool import state, steps

folder = Path(sys.argv[1])
with state.locked(SimpleNamespace(dev=folder)):
	steps.Step("A step", folder / "log").run(["sh", "-c", "echo $$; exec sleep 60"])
"""


def is_free(lock):
	with lock.open("w") as file:
		try:
			fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except BlockingIOError:
			return False
	return True


def test_the_lock_is_held_by_what_a_killed_set_up_has_left_running(tmp_path):
	log = tmp_path / "log"
	log.touch()
	killed = subprocess.Popen([sys.executable, "-c", SLOW, tmp_path], cwd=ROOT)
	try:
		assert wait_for(lambda: log.read_text().endswith("\n"), 30)
	finally:
		killed.kill()
		killed.wait()
	assert not is_free(tmp_path / "lock")
	os.kill(int(log.read_text()), signal.SIGKILL)
	assert wait_for(lambda: is_free(tmp_path / "lock"), 30)


def test_a_long_step_says_how_far_its_program_says_it_is(tmp_path, monkeypatch, capsys):
	monkeypatch.setattr(steps, "TELL_SECONDS", 0.2)
	log = tmp_path / "log"
	steps.Step("A step", log).run(
		["sh", "-c", "printf '%s' 'A: [= ] 7%'; sleep 0.5; echo 'A: [==] 100%'; sleep 0.5"]
	)
	said = capsys.readouterr().out.split()
	assert {"7%", "100%"} <= {*said} and said[-1] == "100%"


def test_a_long_step_whose_program_says_nothing_shows_a_dot(tmp_path):
	log = tmp_path / "log"
	log.write_text("Installing\n")
	assert steps.progress(log) == "."
