"""What ./dev says on a machine that lacks something: one sentence, a status that is not 0, and no Python traceback."""

import os
import shutil
import socket
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from devtool import Problem, cli, serve, settings, state, steps, system
from tests.devtool.conftest import NO_ANSWER

OFFLINE = {
	"PIP_INDEX_URL": NO_ANSWER,
	"PIP_EXTRA_INDEX_URL": "",
	"PIP_CONFIG_FILE": "/dev/null",
	"PIP_RETRIES": "1",
	"PIP_NO_CACHE_DIR": "1",
}


def is_one_sentence(text):
	return text.count("\n") == 1 and text.endswith(".\n")


@pytest.mark.parametrize("python", [True, False], ids=["too old", "none"])
def test_a_machine_without_a_fitting_python_is_told_which_ones_fit(clone, run, bare_path, python):
	status, said = run(clone, "start", PATH=bare_path(python))
	assert (status, is_one_sentence(said)) == (1, True)
	assert "3.10, 3.11 or 3.12" in said


def test_an_installation_of_packages_waits_for_another_one(monkeypatch):
	called = []
	monkeypatch.setattr(system, "_root_command", lambda: [])
	monkeypatch.setattr(system, "executable", lambda *names: names[0])
	monkeypatch.setattr(system, "step", lambda *_: nullcontext(SimpleNamespace(run=called.append)))
	package = system.Package("a-package", lambda: len(called) == 2)
	system.require(settings.from_environment({}), [package])
	assert [command[command.index("apt-get") + 3] for command in called] == ["update", "install"]
	for command in called:
		option, value = command[command.index("apt-get") + 1 :][:2]
		assert option == "-o" and value == f"DPkg::Lock::Timeout={system.LOCK_WAIT}"
	assert system.LOCK_WAIT >= 60


def test_a_taken_port_is_named_before_anything_is_set_up(clone, run):
	with socket.create_server(("127.0.0.1", 0)) as taken:
		number = taken.getsockname()[1]
		status, said = run(clone, "start", "--detach", "--port", str(number))
	assert (status, said) == (
		1,
		f"Port {number} is taken by another program: choose one with ./dev start --port.\n",
	)
	assert not (clone / ".dev" / "stamps").exists()


def test_a_port_that_only_root_may_have_is_told_from_a_taken_one(monkeypatch):
	def refuse(*_):
		raise PermissionError(13, "Permission denied")

	monkeypatch.setattr(socket.socket, "bind", refuse)
	with pytest.raises(
		Problem, match=r"^Port 80 is not for every user: choose one above 1023 with \./dev start --port\.$"
	):
		serve.require_free(80)


@pytest.mark.parametrize("name", ["a b", "a:b", "it's", "a(b)"])
def test_a_folder_that_frappe_cannot_work_in_is_refused_before_anything_is_set_up(
	clone, run, tmp_path_factory, name
):
	moved = shutil.move(clone, tmp_path_factory.mktemp("folder") / name)
	status, said = run(moved, "setup")
	assert (status, is_one_sentence(said)) == (1, True)
	assert "move this clone" in said and str(moved) in said
	assert not (moved / ".dev" / "stamps").exists()


def test_a_user_who_did_not_set_the_clone_up_is_told_so(monkeypatch, capsys):
	place = cli.settings.ROOT / ".dev" / "lock"

	def refuse(*_):
		raise PermissionError(13, "Permission denied", str(place))

	monkeypatch.setattr(cli, "run", refuse)
	assert cli.main() == 1
	said = capsys.readouterr().err
	assert is_one_sentence(said) and str(place) in said


def test_programs_have_a_home_to_write_to(tmp_path, monkeypatch):
	monkeypatch.setenv("HOME", str(tmp_path))
	place = SimpleNamespace(dev=tmp_path / ".dev")
	place.dev.mkdir()
	system.give_home(place)
	assert os.environ["HOME"] == str(tmp_path)
	monkeypatch.setenv("HOME", str(tmp_path / "none"))
	system.give_home(place)
	assert Path(os.environ["HOME"]).is_dir() and Path(os.environ["HOME"]).parent == place.dev


def test_what_is_set_up_is_for_its_user_alone(tmp_path):
	with state.locked(SimpleNamespace(dev=tmp_path / ".dev")):
		assert (tmp_path / ".dev").stat().st_mode & 0o077 == 0


def test_a_set_up_without_a_network_says_so_and_names_its_log(clone, run):
	status, said = run(clone, "setup", **OFFLINE)
	last = said.splitlines()[-1]
	assert status == 1 and "Traceback" not in said
	assert "the package registry cannot be reached" in last
	log = clone / last.rpartition("details are in ")[2].rstrip(".")
	assert "127.0.0.1" in log.read_text()


def test_a_disk_that_is_too_small_is_told_before_the_set_up_begins(clone):
	enlarged = "from devtool import cli, steps; steps.NEEDED_BYTES = 1 << 62; raise SystemExit(cli.main())"
	done = subprocess.run(
		[sys.executable, "-c", enlarged, "setup"],
		env=os.environ | {"PYTHONPATH": str(clone)},
		cwd=clone,
		capture_output=True,
		text=True,
	)
	assert (done.returncode, done.stdout, is_one_sentence(done.stderr)) == (1, "", True)
	assert "free disk space" in done.stderr
	assert not (clone / ".dev" / "stamps").exists()


@pytest.mark.parametrize(
	("line", "meaning"),
	[
		("cp: error writing 'x': No space left on device", "the disk is full"),
		("Temporary failure resolving 'a.example'", "package server cannot be reached"),
		("error: client error (Connect)", "registry cannot be reached"),
		("something else", ""),
	],
)
def test_a_failed_step_says_why_when_its_log_does(line, meaning):
	assert meaning in steps.hint(f"before\n{line}\nafter")


def test_missing_packages_are_named_to_people_who_may_not_install_them(monkeypatch):
	monkeypatch.setattr(system, "_root_command", lambda: None)
	lacking = [system.Package("b-package", lambda: False), system.Package("a-package", lambda: False)]
	with pytest.raises(Problem, match=r"^Please install these Debian packages first: a-package b-package\.$"):
		system.require(settings.from_environment({}), lacking)


@pytest.mark.parametrize(
	("env", "meaning"),
	[
		({"FRAPPE_PATH": "/dev"}, "FRAPPE_PATH=/dev is not a Frappe checkout"),
		({"DB_HOST": "127.0.0.1", "DB_PORT": "many"}, "DB_PORT=many is not a number"),
		({"DB_HOST": "127.0.0.1", "DB_ROOT_PASSWORD": ""}, "DB_HOST needs DB_ROOT_PASSWORD"),
		({"REDIS_URL": "localhost:6379"}, "is not of the form redis://HOST:PORT"),
	],
	ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_wrong_environment_variable_is_named(clone, run, env, meaning):
	status, said = run(clone, "setup", **env)
	assert (status, is_one_sentence(said)) == (1, True)
	assert meaning in said
