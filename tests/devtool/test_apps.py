"""A bench with other apps: which they are, in which order they come, and that the choice stays until it is taken back."""

from pathlib import Path

import pytest

from devtool import Problem, apps, bench, choice, cli, copies, environment, site
from devtool.settings import Settings


@pytest.fixture
def checkout(tmp_path):
	"""Make a checkout of an app in a folder of another name."""

	def make(name, folder=None):
		tree = tmp_path / (folder or f"{name}-checkout")
		(tree / name).mkdir(parents=True)
		(tree / name / "__init__.py").touch()
		(tree / name / "hooks.py").write_text(f'app_name = "{name}"\n')
		(tree / "pyproject.toml").write_text(f'[project]\nname = "{name}"\ndependencies = ["{name}-needs"]\n')
		return tree

	return make


@pytest.fixture
def made(tmp_path):
	return lambda **environ: choice.made(environ, tmp_path / ".dev")


def names(settings):
	return [*bench.apps(settings)]


def test_the_apps_stand_between_frappe_and_our_own_erpnext_first(checkout, made):
	paths = f"{checkout('crm')}:{checkout('helpdesk')}"
	chosen = made(APP_PATHS=paths, ERPNEXT_PATH=str(checkout("erpnext")))
	assert names(chosen) == ["frappe", "erpnext", "crm", "helpdesk", "hisabi_sync"]


def test_a_later_command_has_the_same_apps_and_says_so(checkout, made, capsys):
	tree = checkout("erpnext")
	first = made(ERPNEXT_PATH=str(tree), FRAPPE_PATH=str(checkout("frappe")))
	assert capsys.readouterr().err == ""
	assert made() == first
	assert f"erpnext from {tree}" in capsys.readouterr().err


def test_an_empty_variable_takes_its_apps_back_and_no_others(checkout, made):
	made(
		FRAPPE_PATH=str(checkout("frappe")),
		ERPNEXT_PATH=str(checkout("erpnext")),
		APP_PATHS=str(checkout("crm")),
	)
	assert names(made(ERPNEXT_PATH="")) == names(made()) == ["frappe", "crm", "hisabi_sync"]
	assert names(made(APP_PATHS="")) == ["frappe", "hisabi_sync"]
	assert made().frappe_path.name == "frappe-checkout"


def test_another_frappe_comes_without_the_apps_of_the_one_before(checkout, made):
	frappe, other = checkout("frappe"), checkout("frappe", "newer")
	chosen = made(FRAPPE_PATH=str(frappe), ERPNEXT_PATH=str(checkout("erpnext")))
	assert made(FRAPPE_PATH=str(frappe)) == chosen, "the same Frappe again is no other choice"
	assert made(FRAPPE_PATH=str(other)).apps == ()
	made(FRAPPE_PATH=str(frappe), APP_PATHS=str(checkout("crm")))
	assert made(FRAPPE_PATH="") == made() == Settings()


def test_each_choice_of_apps_has_sites_and_packages_of_its_own(checkout, made):
	plain, crm, both = (
		Settings(),
		made(APP_PATHS=str(checkout("crm"))),
		made(ERPNEXT_PATH=str(checkout("erpnext"))),
	)
	assert names(both) == ["frappe", "erpnext", "crm", "hisabi_sync"]
	for one, other in ((plain, crm), (crm, both), (plain, both)):
		assert one.env != other.env and one.desk != other.desk
		assert bench.test_site(one).database != bench.test_site(other).database
	assert plain.frappe_tree == both.frappe_tree, "the pinned Frappe is unpacked once"


@pytest.mark.parametrize(
	("variable", "name", "said"),
	[
		("ERPNEXT_PATH", "crm", "erpnext/hooks.py is looked for"),
		("APP_PATHS", "frappe", "has an app frappe already"),
		("APP_PATHS", "hisabi_sync", "has an app hisabi_sync already"),
	],
)
def test_a_folder_with_another_app_is_refused_and_not_remembered(checkout, made, variable, name, said):
	with pytest.raises(Problem, match=said):
		made(**{variable: str(checkout(name))})
	assert made() == Settings()


def test_a_folder_without_an_app_and_an_app_named_twice_are_refused(checkout, made, tmp_path):
	with pytest.raises(Problem, match="is not a checkout of one app"):
		made(APP_PATHS=str(tmp_path))
	with pytest.raises(Problem, match="has an app crm already"):
		made(APP_PATHS=f"{checkout('crm')}:{checkout('crm', 'again')}")


@pytest.mark.parametrize(
	("given", "rest", "found"),
	[
		("--with A test -k x", "test -k x", ["A"]),
		("test --with=A -k x --with B", "test -k x", ["A", "B"]),
		("frappe -- --with A", "frappe -- --with A", None),
		("start --with=", "start", [""]),
		("test --without x", "test --without x", None),
	],
)
def test_the_option_may_stand_anywhere_and_what_follows_two_dashes_is_left_alone(
	given, rest, found, monkeypatch, tmp_path
):
	monkeypatch.chdir(tmp_path)
	own, named = apps.taken(given.split())
	assert own == rest.split()
	paths = ":".join(str(tmp_path / folder) if folder else "" for folder in found or ())
	assert named == ({} if found is None else {"APP_PATHS": paths})


def test_the_option_without_a_folder_is_refused(capsys, monkeypatch):
	monkeypatch.setattr("sys.argv", ["dev", "info", "--with"])
	assert cli.main() == 1
	assert "--with needs the folder" in capsys.readouterr().err


def test_the_python_packages_of_an_app_are_asked_for_and_asked_again_when_they_change(
	checkout, made, monkeypatch
):
	tree = checkout("crm")
	chosen, asked, inputs = made(APP_PATHS=str(tree)), [], []

	def once(settings, title, name, wanted, action):
		inputs.append(wanted)
		action(None)

	monkeypatch.setattr(environment.steps, "once", once)
	monkeypatch.setattr(environment, "_make", lambda settings, current: None)
	monkeypatch.setattr(environment, "_given", lambda settings, files: files)
	monkeypatch.setattr(environment, "_uv", lambda settings, current, *words: asked.append(words))
	environment._prepare_locked(chosen)
	assert [words[0] for words in asked] == ["sync", "install"] and tree / "pyproject.toml" in asked[1]
	(tree / "pyproject.toml").write_text('[project]\nname = "crm"\ndependencies = ["more"]\n')
	environment._prepare_locked(chosen)
	assert inputs[0] != inputs[1]


def test_a_changed_doctype_of_another_app_migrates_the_site(checkout, made):
	tree = checkout("crm")
	chosen = made(APP_PATHS=str(tree))
	before = site._schema(chosen)
	(tree / "crm" / "lead.json").write_text("{}")
	assert site._schema(chosen) != before
	(tree / "notes.json").write_text("{}")
	assert site._schema(chosen) == site._schema(made())


def test_a_further_site_gets_a_copy_and_a_changed_app_is_installed_again(checkout, made, monkeypatch):
	tree = checkout("crm")
	target = bench.test_site(made(APP_PATHS=str(tree)))
	monkeypatch.setattr(type(target.settings), "home", property(lambda settings: tree.parent / "home"))
	done = []
	monkeypatch.setattr(site.steps, "once", lambda settings, title, name, inputs, action: action(None))
	monkeypatch.setattr(site, "_frappe", lambda site, step, *words: done.append(words[2]))
	monkeypatch.setattr(
		copies, "_run", lambda site, step, program, *words: done.append(Path(program).name) or _dump(words)
	)

	def add():
		return site._add(target, target.settings.apps[0], site._foundation(target.settings))

	add()
	assert done == ["install-app", "mariadb-dump"]
	add()
	assert done[2:] == ["mariadb", "clear-cache"]
	(tree / "crm" / "lead.json").write_text("{}")
	add()
	assert (
		done[4:] == ["install-app", "mariadb-dump"]
		and len([*(tree.parent / "home" / "copies").iterdir()]) == 1
	)


@pytest.mark.parametrize("kind", ["demo_site", "test_site"])
def test_a_copy_of_our_app_is_finished_for_its_own_site(made, monkeypatch, tmp_path, kind):
	"""The scheduler runs on the site to look at, and not on those of tests; what is copied may be of either."""
	target, ran = getattr(bench, kind)(made()), []
	kept = tmp_path / "kept.sql"
	kept.touch()
	monkeypatch.setattr(site.copies, "path", lambda *_: kept)
	monkeypatch.setattr(site.copies, "load", lambda *_: None)
	monkeypatch.setattr(site, "_frappe", lambda *_: None)
	monkeypatch.setattr(site, "environment", lambda site: {})
	step = type("Step", (), {"run": lambda self, argv, env, cwd: ran.append([*map(str, argv)])})()
	site._bring(target, "hisabi_sync", "foundation", step)
	(finished,) = ran
	assert "devtool.finish_site" in finished and ("--scheduler" in finished) == (kind == "demo_site")


def _dump(words):
	"""Write the file that a dump of the database would."""
	for word in words:
		if word.startswith("--result-file="):
			Path(word.partition("=")[2]).touch()


def test_an_app_is_installed_before_ours_and_set_up_at_once(checkout, made, monkeypatch, tmp_path):
	target = bench.test_site(made(ERPNEXT_PATH=str(checkout("erpnext")), APP_PATHS=str(checkout("crm"))))
	ran = []

	class Step:
		log = Path(tmp_path, "log")

		def run(self, argv, env, cwd):
			ran.append(argv)

	def once(settings, title, name, inputs, action):
		if "app-" in name:
			action(Step())
			return True

	monkeypatch.setattr(site.steps, "once", once)
	monkeypatch.setattr(site.steps, "write_atomically", lambda *_: None)
	monkeypatch.setattr(site, "environment", lambda site: {})
	monkeypatch.setattr(site.copies, "keep", lambda site, file, step: None)
	site.prepare(target)
	done = [words[words.index("install-app") + 1] if "install-app" in words else words[2] for words in ran]
	assert done == ["erpnext", "devtool.set_up_erpnext", "crm", "hisabi_sync", "devtool.finish_site"]
