import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHELL_NEEDS = ("dirname", "readlink", "id", "env", "sh")
NO_ANSWER = "http://127.0.0.1:1/simple"


@pytest.fixture
def clone(tmp_path):
	"""A copy of ./dev and what it is made of, as if the repository had just been cloned."""
	shutil.copytree(ROOT / "devtool", tmp_path / "devtool", ignore=shutil.ignore_patterns("__pycache__"))
	for name in ("dev", "pyproject.toml"):
		shutil.copy2(ROOT / name, tmp_path / name)
	return tmp_path


@pytest.fixture
def run():
	"""Run a clone's ./dev and return (exit status, all that it printed)."""

	def call(clone, *arguments, **env):
		# As a shell has it: with what is printed kept back unless it is flushed.
		inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
		done = subprocess.run(
			[str(clone / "dev"), *arguments],
			env=inherited | env,
			stdin=subprocess.DEVNULL,
			stdout=subprocess.PIPE,
			stderr=subprocess.STDOUT,
			text=True,
			timeout=120,
		)
		return done.returncode, done.stdout

	return call


@pytest.fixture
def bare_path(tmp_path):
	"""Make a search path with a Python that calls itself too old, or with none, and nothing else but a shell's needs."""

	def make(python):
		folder = tmp_path / "bin"
		folder.mkdir()
		for name in SHELL_NEEDS:
			(folder / name).symlink_to(shutil.which(name))
		if python:
			(folder / "python3").write_text(f"#!{shutil.which('sh')}\nexit 1\n")
			(folder / "python3").chmod(0o755)
		return str(folder)

	return make
