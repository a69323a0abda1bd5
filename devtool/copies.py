"""Databases with other apps, kept as files: the next site of the same choice need not wait for the installation again."""

import os
from pathlib import Path

from devtool import mariadb
from devtool.bench import Site
from devtool.settings import Settings, digest
from devtool.steps import Step
from devtool.system import executable

# Whole rows in large statements, no locks that others would wait for; the site's own database is named when it is loaded.
DUMP = ("--single-transaction", "--skip-lock-tables", "--no-tablespaces", "--default-character-set=utf8mb4")


def path(settings: Settings, app: str, foundation: str) -> Path:
	"""The file of a database that has everything up to this app; another foundation has another file."""
	return settings.home / "copies" / f"{app}-{digest(foundation)}.sql"


def keep(site: Site, file: Path, step: Step) -> None:
	"""Write the site's database to a file, in the place of what was kept before for the same app."""
	file.parent.mkdir(parents=True, exist_ok=True)
	for old in file.parent.glob(f"{file.name.rpartition('-')[0]}-*"):
		old.unlink()
	unfinished = file.with_suffix(".new")
	program = executable("mariadb-dump", "mysqldump") or "mariadb-dump"
	_run(site, step, program, *DUMP, f"--result-file={unfinished}", site.database)
	unfinished.replace(file)


def load(site: Site, file: Path, step: Step) -> None:
	"""Fill the site's database from a file."""
	program = executable("mariadb", "mysql") or "mariadb"
	_run(site, step, program, "--default-character-set=utf8mb4", site.database, "-e", f"source {file}")


def _run(site: Site, step: Step, program: str, *arguments: str) -> None:
	server = mariadb.database(site.settings)
	place = ("--no-defaults", "--user=root", f"--host={server.host}", f"--port={server.port}")
	step.run([program, *place, *arguments], env=os.environ | {"MYSQL_PWD": server.password})
