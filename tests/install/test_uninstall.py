"""The app leaves a site as it came (docs/operations.md, Installation): what stays behind would break lists, jobs and saves of others."""

import os
import subprocess
import sys

import frappe
import pytest

from chaos.database import EMPTY, Database
from chaos.site import own_tables
from hisabi_sync.engine.database import background

# The names of our things, as rows of other apps' tables would have them.
TRACES = ("%hisabi_sync%", "%Hisabi Sync%")
# What Frappe itself remembers of every app that was there.
HISTORY = {
	"tabComment.content",  # that a file was added to a document
	"tabDeleted Document.data",
	"tabDeleted Document.deleted_name",
	"tabPatch Log.patch",
	"tabRoute History.route",
	"tabUser.last_known_versions",
	"tabVersion.data",
}
SITE_FILES = "private/files/hisabi_sync_media"
TEXTS = ("char", "varchar", "text", "mediumtext", "longtext")


@pytest.fixture(scope="module")
def copy(site, tmp_path_factory):
	"""The test site on a MariaDB of its own; returns (database, function that runs Frappe's commands)."""
	background.remember_failures("reconcile", {"a unit": "KeyError"})
	folder = tmp_path_factory.mktemp("uninstall")
	conf = frappe.local.conf
	database = Database(folder, conf, empty=(*EMPTY, *own_tables(conf))).create()
	sites = database.bench(site)

	def run(*arguments):
		command = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", site, *arguments]
		env = os.environ | {"SITES_PATH": str(sites), "FRAPPE_BENCH_ROOT": str(sites.parent)}
		done = subprocess.run(command, cwd=sites, env=env, capture_output=True, text=True, timeout=300)
		assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
		return done.stdout

	yield database, run, sites / site
	database.stop()
	background.remember_failures("reconcile", {})


def test_uninstalling_leaves_nothing_and_installing_again_works(copy):
	database, run, sites = copy
	before = tables(database)
	with database.connect() as connection, connection.cursor() as cursor:
		cursor.execute(
			"""INSERT INTO `tabUser Permission` (name, user, allow, for_value)
			VALUES ('kept-to-a-space', 'Guest', 'Sync Space', 'x')"""
		)
		connection.commit()
	media = sites / SITE_FILES
	(media / "ab").mkdir(parents=True)
	(media / "ab" / "abcd").write_bytes(b"a photo")
	run("uninstall-app", "hisabi_sync", "--yes", "--no-backup")
	assert not database.rows("SELECT name FROM `tabUser Permission` WHERE allow = 'Sync Space'")
	assert not media.exists()
	assert not [name for name in tables(database) if is_ours(name)]
	assert traces(database).keys() <= HISTORY, traces(database)
	run("install-app", "hisabi_sync")
	run("migrate")
	assert tables(database) == before


def tables(database):
	query = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
	return {row[0] for row in database.rows(query)}


def is_ours(table):
	return table.startswith(("tabSync ", "tabHisabi ", "tabField ", "tabFamily "))


def traces(database):
	"""{table.column: number of rows that still name the app}."""
	query = """SELECT table_name, column_name FROM information_schema.columns
		WHERE table_schema = DATABASE() AND data_type IN %s"""
	found = {}
	for table, column in database.rows(query, (TEXTS,)):
		named = " OR ".join(f"`{column}` LIKE %s" for _ in TRACES)
		((count,),) = database.rows(f"SELECT COUNT(*) FROM `{table}` WHERE {named}", TRACES)  # noqa: S608
		if count:
			found[f"{table}.{column}"] = count
	return found
