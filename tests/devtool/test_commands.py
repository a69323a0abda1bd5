"""What ./dev does with its arguments, with programs that are killed, and with what an earlier time left."""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from devtool import Problem, bench, cli, commands, frappe_source, serve, site
from devtool.settings import Settings
from hisabi_sync import hooks
from tests.devtool.conftest import ROOT


@pytest.mark.parametrize(("options", "kept"), [(("--all",), set()), ((), {"env"})])
def test_reset_also_deletes_what_checkouts_have_left(clone, run, options, kept):
	for home in (clone / ".dev", clone / ".dev" / "frappe-0123"):
		for name in ("env", "bench"):
			(home / name).mkdir(parents=True)
	status, said = run(clone, "reset", *options)
	assert status == 0 and "deleted" in said and said.count("\n") == 1, said
	left = {path.name for path in (clone / ".dev").rglob("*") if path.is_dir()} - {"frappe-0123"}
	assert left == kept


@pytest.mark.parametrize("number", ["0", "99999", "-1", "many"])
def test_a_port_that_there_is_not_is_refused(clone, run, number):
	status, said = run(clone, "start", "--detach", f"--port={number}")
	assert status == 2 and "Traceback" not in said
	assert number in said.splitlines()[-1]


@pytest.mark.parametrize(("last", "passes"), [("true", True), ("exit 1", False), ("kill -9 $$", False)])
def test_a_check_that_fails_or_is_killed_fails_all_of_them(last, passes):
	status = commands._run_all([["sh", "-c", "true"], ["sh", "-c", last], ["sh", "-c", "true"]])
	assert (status == 0) is passes


def test_each_process_of_the_tests_has_a_bench_of_its_own(monkeypatch):
	monkeypatch.setattr(commands.prepare, "with_desk", lambda *_: None)
	started = {}
	monkeypatch.setattr(commands, "_foreground", lambda command, folder, env: started.update(env) or 0)
	commands.test(Settings(), ["-n", "2", "tests/walls"])
	told = (
		"import os; import devtool.pytest_bench; print(os.environ['SITES_PATH'], os.environ['HISABI_SITE'])"
	)
	seen = []
	for worker in ("", "gw0", "gw1"):
		env = started | {"PYTEST_XDIST_WORKER": worker}
		done = subprocess.run([sys.executable, "-c", told], env=env, cwd=ROOT, capture_output=True, text=True)
		seen.append(done.stdout)
	assert seen[0] == seen[1] != seen[2] and all(seen), done.stderr
	with pytest.raises(SystemExit):
		commands.test(Settings(), ["-n", "many"])


@pytest.mark.parametrize(
	("words", "started"),
	[
		(["--seed", "2"], ["demo", "--seed", "2"]),
		(["erp", "--seed", "2"], ["demo.erp", "--seed", "2"]),
		([], ["demo"]),
	],
)
def test_the_first_word_after_demo_may_choose_the_story(monkeypatch, words, started):
	monkeypatch.setattr(commands.serve, "is_running", lambda _: True)
	monkeypatch.setattr(commands.info, "write", lambda _: "info.json")
	ran = []
	monkeypatch.setattr(commands, "_foreground", lambda command, folder, env: ran.extend(command) or 0)
	commands.demo(Settings(), words)
	assert ran[2:] == started


def test_a_benchmarks_folder_is_that_of_who_names_it(monkeypatch, tmp_path):
	from benchmarks import __main__ as benchmarks

	monkeypatch.setattr(commands.prepare, "whole", lambda *_: None)
	monkeypatch.chdir(tmp_path)
	given = {}
	monkeypatch.setattr(commands, "_foreground", lambda command, folder, env: given.update(env) or 0)
	commands.benchmark(Settings(), [])
	monkeypatch.setenv("HISABI_FROM", given["HISABI_FROM"])
	monkeypatch.chdir("/")
	for words in (["--out", "there"], ["--out=there"], ["--out", str(tmp_path / "there")]):
		monkeypatch.setattr("sys.argv", ["benchmark", *words])
		assert benchmarks._options().out == tmp_path / "there"


def test_another_pinned_wheel_takes_the_place_of_the_one_before(tmp_path):
	folder = tmp_path / "downloads"

	class Pip:
		"""Downloads the wheel of its number."""

		number = 0

		def run(self, command):
			self.number += 1
			folder.mkdir(exist_ok=True)
			(folder / f"frappe-{self.number}.whl").touch()

	pip, settings = Pip(), SimpleNamespace(dev=tmp_path)
	first, second = (frappe_source._download(settings, tmp_path / "pin", pip) for _ in range(2))
	assert (first.name, second.name) == ("frappe-1.whl", "frappe-2.whl") and not first.exists()


DECLARED = [*hooks.sync_contracts, *hooks.after_migrate]


@pytest.mark.parametrize("function", DECLARED)
def test_a_site_is_migrated_again_when_what_a_migration_calls_has_changed(function, tmp_path, monkeypatch):
	name = function.rpartition(".")[0].replace(".", "/") + ".py"
	(tmp_path / name).parent.mkdir(parents=True)
	(tmp_path / name).write_text((ROOT / name).read_text())
	monkeypatch.setattr(site, "ROOT", tmp_path)
	before = site._schema(Settings())
	with (tmp_path / name).open("a") as source:
		source.write("# changed\n")
	assert site._schema(Settings()) != before


def test_demo_data_are_made_again_when_their_sources_have_changed(tmp_path, monkeypatch):
	"""What the documents name must be there, also on a site that was made before."""
	settings = SimpleNamespace(stamps=tmp_path / "stamps", logs=tmp_path / "logs")
	demo = SimpleNamespace(settings=settings, name="demo.localhost", demo_file=tmp_path / "demo.json")
	source, made = tmp_path / "hisabi_sync" / "demo" / "site.py", []
	source.parent.mkdir(parents=True)
	source.write_text("1")
	monkeypatch.setattr(site, "ROOT", tmp_path)
	monkeypatch.setattr(
		site, "_frappe", lambda _, step, *words: made.append(Path(words[-1]).write_text("{}"))
	)
	for count, again in ((1, False), (1, False), (2, True)):
		site.prepare_demo(demo, again)
		assert len(made) == count and demo.demo_file.is_file()
	source.write_text("2")
	site.prepare_demo(demo)
	assert len(made) == 3
	demo.demo_file.unlink()
	site.prepare_demo(demo)
	assert len(made) == 4


@pytest.mark.parametrize("given", ["", "mirror.example"])
def test_this_machine_asks_itself_without_a_proxy(given, monkeypatch):
	monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
	monkeypatch.delenv("no_proxy", raising=False)
	monkeypatch.setenv("NO_PROXY", given)
	monkeypatch.setattr("sys.argv", ["dev", "stop"])
	monkeypatch.setattr(cli, "run", lambda arguments: 0)
	cli.main()
	assert urllib.request.proxy_bypass("127.0.0.1:8000") and urllib.request.proxy_bypass("localhost")
	assert bool(urllib.request.proxy_bypass("mirror.example")) is bool(given)
	assert not urllib.request.proxy_bypass("registry.example")


def test_a_start_beside_one_that_was_killed_waits_until_the_site_answers(monkeypatch):
	def not_yet(target):
		raise Problem("The site does not answer.")

	monkeypatch.setattr(commands.serve, "is_running", lambda target: True)
	monkeypatch.setattr(commands.serve, "wait_until_ready", not_yet)
	with pytest.raises(Problem, match="does not answer"):
		commands._start(bench.demo_site(Settings()), 8000, demo=True)


@pytest.mark.parametrize(
	("called", "env"),
	[("link", {}), ("elsewhere/dev", {"CDPATH": "/:."}), ("elsewhere/dev", {"PYTHONSAFEPATH": "1"})],
	ids=["by a link to it", "with CDPATH", "with PYTHONSAFEPATH"],
)
def test_dev_finds_its_own_folder_from_anywhere(clone, tmp_path_factory, called, env):
	folder = tmp_path_factory.mktemp("folder")
	(folder / "link").symlink_to(clone / "dev")
	(folder / "elsewhere").symlink_to(clone)
	done = subprocess.run(
		["sh", called, "info"], cwd=folder, env=os.environ | env, capture_output=True, text=True
	)
	assert done.stderr == "Nothing is set up yet: run ./dev start first.\n"


def test_jobs_that_people_start_do_not_wait_behind_those_of_the_scheduler():
	"""A worker takes the first queue that has a job: with `default` first everywhere, `long` starves when minutes are full."""
	first = {words[-1].partition(",")[0] for words in serve.BACKGROUND.values() if words[0] == "worker"}
	assert first == {"short", "long"}
