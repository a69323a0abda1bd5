"""Making a site, installing the app on it, and keeping both up to date."""

import base64
import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from devtool import copies, frappe_source, mariadb, steps
from devtool.apps import App
from devtool.bench import Site, environment, frappe_command
from devtool.settings import APP, ROOT, Settings
from devtool.steps import Step

ADMIN_PASSWORD = "admin"

# What a migration reads, and the code by which it declares entity types, defaults and hooks; other code needs none.
MIGRATED: tuple[str, ...] = (".json", "hooks.py", "modules.txt", "patches.txt")
MIGRATED += ("install.py", "entities.py", "contracts.py", "contract.py", "defaults.py", "space_clauses.py")
MIGRATED += ("guards/table.py", "protocol/names.py", "formats.py")

# The module that is run on a site where an app was just installed; it can be run again.
SET_UP = {"erpnext": "devtool.set_up_erpnext", APP: "devtool.finish_site"}

# Let the site's database user log in from any address: newest name of the option first.
LOGIN_SCOPE = ("--mariadb-user-host-login-scope=%", "--no-mariadb-socket")


def prepare(site: Site) -> None:
	"""Bring a site to the state that the sources describe, doing only what is left to do."""
	settings, name = site.settings, site.name
	steps.once(settings, f"Site {name}", f"site-{name}", "1", lambda step: _make(site, step))
	schema, foundation = _schema(settings), _foundation(settings)
	for app in settings.apps:
		_add(site, app, foundation)
	installed = steps.once(
		settings,
		f"App on {name}",
		f"app-{name}",
		"1",
		lambda step: _bring(site, APP, schema, step),
	)
	if installed:
		steps.write_atomically(settings.stamps / f"schema-{name}", steps.fingerprint(schema))
	steps.once(settings, f"Migration of {name}", f"schema-{name}", schema, lambda step: _migrate(site, step))


def prepare_demo(site: Site, again: bool = False) -> None:
	"""Fill the site with the demo data of the sources; `again` when they name something that has moved."""
	name = f"demo-{site.name}"
	if again or not site.demo_file.is_file():
		(site.settings.stamps / name).unlink(missing_ok=True)
	sources = _contents((ROOT / APP / "demo").rglob("*.py"), ROOT)
	steps.once(site.settings, "Demo data", name, sources, lambda step: _make_demo(site, step))


def _make_demo(site: Site, step: Step) -> None:
	unfinished = site.demo_file.with_suffix(".new")
	_frappe(site, step, "--site", site.name, "hisabi-demo-site", "--output", str(unfinished))
	unfinished.replace(site.demo_file)


def _frappe(site: Site, step: Step, *arguments: str) -> None:
	step.run(frappe_command(site, *arguments), env=environment(site), cwd=site.bench.sites)


def _make(site: Site, step: Step) -> None:
	"""Make the site from nothing; a half-made one is of no use."""
	shutil.rmtree(site.path, ignore_errors=True)
	server = mariadb.database(site.settings)
	options = {
		"--db-name": site.database,
		"--db-type": "mariadb",
		"--db-root-username": "root",
		"--db-root-password": server.password,
		"--admin-password": ADMIN_PASSWORD,
	}
	words = [word for option in options.items() for word in option]
	_frappe(site, step, "new-site", site.name, "--force", _login_scope(site.settings), *words)
	site.configure(encryption_key=_encryption_key(), **({"allow_tests": True} if site.tests else {}))


def _login_scope(settings: Settings) -> str:
	known = (settings.frappe_tree / "frappe" / "commands" / "site.py").read_text()
	return next(option for option in LOGIN_SCOPE if option.partition("=")[0] in known)


def _encryption_key() -> str:
	return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _add(site: Site, app: App, foundation: str) -> None:
	"""Have one of the other apps on the site."""
	title, stamp = f"{app.name} on {site.name}", f"app-{site.name}-{app.name}"
	steps.once(site.settings, title, stamp, "1", lambda step: _bring(site, app.name, foundation, step))


def _bring(site: Site, app: str, foundation: str, step: Step) -> None:
	"""Install an app where the site is the first with it on this foundation, else copy the database of the first."""
	kept = copies.path(site.settings, app, foundation)
	if kept.is_file():
		copies.load(site, kept, step)
		_frappe(site, step, "--site", site.name, "clear-cache")
		_set_up(site, app, step)  # what was kept may be of a site with the scheduler, and this one without
	else:
		_install(site, app, step)
		copies.keep(site, kept, step)


def _install(site: Site, app: str, step: Step) -> None:
	"""Install an app; `--force` because an interrupted installation may have left a part."""
	_frappe(site, step, "--site", site.name, "install-app", app, "--force")
	_set_up(site, app, step)


def _set_up(site: Site, app: str, step: Step) -> None:
	if app in SET_UP:
		set_up = [site.settings.python, "-m", SET_UP[app], *(() if site.tests else ("--scheduler",))]
		step.run(set_up, env=environment(site), cwd=site.bench.sites)


def _migrate(site: Site, step: Step) -> None:
	_frappe(site, step, "--site", site.name, "migrate")


def _schema(settings: Settings) -> str:
	"""Changes when a migration would do something."""
	return f"{_foundation(settings)}\n{_migrated(ROOT / APP)}"


def _foundation(settings: Settings) -> str:
	"""Changes when a new site would have something else before our app is installed."""
	others = [_migrated(app.package) for app in settings.apps]
	set_up = [
		Path(__file__).with_name(f"{SET_UP[app.name].rpartition('.')[2]}.py")
		for app in settings.apps
		if app.name in SET_UP
	]
	return "\n".join([frappe_source.identity(settings), *others, *map(_content, set_up)])


def _migrated(package: Path) -> str:
	paths = (path for path in package.rglob("*") if path.as_posix().endswith(MIGRATED))
	return _contents(paths, package.parent)


def _contents(paths: Iterable[Path], base: Path) -> str:
	"""Names and digests of files, a line for each."""
	files = sorted(path for path in paths if path.is_file())
	return "\n".join(f"{path.relative_to(base)} {_content(path)}" for path in files)


def _content(path: Path) -> str:
	return hashlib.sha256(path.read_bytes()).hexdigest()
