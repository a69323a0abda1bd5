"""A site of its own on a primary and a replica; the database is a copy of the test site's, without what devices wrote."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import frappe
import pytest
from frappe.utils.background_jobs import get_queues

from devtool.network import LOOPBACK
from devtool.system import executable
from tests.replica.servers import PASSWORD, PAUSE, Pair, guide
from tests.replica.world import Wallet
from tests.support.server import Server

NAME = "replica.localhost"
DATABASE = "hisabi_replica"
# Tables whose rows are not copied: they may be many by now.
EMPTY = (
	"tabSync %",
	"tabHisabi %",
	"tabField %",
	"tabFamily%",
	"tabVersion",
	"tabError Log",
	"tabActivity Log",
)
NEEDED = ("tabSync Entity%", "tabHisabi%Settings")


def dump(*options):
	"""A command that dumps the test site's database, and its environment."""
	config = frappe.conf
	login = [f"--user={config.get('db_user') or config.db_name}", f"--host={config.db_host}"]
	login += (
		[f"--port={config.db_port or 3306}"]
		if not config.get("db_socket")
		else [f"--socket={config.db_socket}"]
	)
	env = {**os.environ, "MYSQL_PWD": config.db_password}
	return ["mariadb-dump", *login, "--single-transaction", *options, config.db_name], env


def left_empty():
	named = " OR ".join("table_name LIKE %s" for _ in EMPTY)
	needed = " OR ".join("table_name LIKE %s" for _ in NEEDED)
	query = f"""SELECT table_name FROM information_schema.tables
		WHERE table_schema = DATABASE() AND ({named}) AND NOT ({needed})"""  # noqa: S608
	return [row[0] for row in frappe.db.sql(query, (*EMPTY, *NEEDED))]


def fill(server, database):
	ignored = [f"--ignore-table={frappe.conf.db_name}.{table}" for table in left_empty()]
	for options in (("--no-data",), ("--no-create-info", *ignored)):
		command, env = dump(*options)
		client = ["mariadb", "--no-defaults", "--user=root", f"--socket={server.socket}", database]
		with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as source:
			subprocess.run(client, stdin=source.stdout, check=True, timeout=300)
		assert source.returncode == 0


def connect(site):
	"""Leave the site that this process is connected to for another one."""
	frappe.destroy()
	frappe.init(site=site, sites_path=os.environ["SITES_PATH"])
	frappe.connect()
	frappe.set_user("Administrator")
	frappe.local.conf["throttle_user_limit"] = 1_000_000


@pytest.fixture(scope="session")
def usual_site():
	"""The site of the other tests, connected."""
	os.chdir(os.environ["SITES_PATH"])
	connect(os.environ["HISABI_SITE"])
	return os.environ["HISABI_SITE"]


@pytest.fixture(scope="package")
def pair(usual_site, tmp_path_factory):
	if not executable("mariadbd"):
		pytest.skip("the server is not on this machine")
	pair = Pair(tmp_path_factory.mktemp("pair"), DATABASE)
	try:
		pair.start(fill)
		yield pair
	finally:
		pair.stop()


def configure(folder, pair):
	for name in ("logs", "locks", "private/files", "public/files"):
		(folder / name).mkdir(parents=True, exist_ok=True)
	config = json.loads((folder.parent / os.environ["HISABI_SITE"] / "site_config.json").read_text())
	config.update(db_name=DATABASE, db_user=DATABASE, db_password=DATABASE, db_socket=None)
	config.update(db_host=LOOPBACK, db_port=pair.primary.port, sync_replica_pause=PAUSE)
	(named,) = (json.loads(text) for text in guide("config", "json") if "replica_host" in text)
	named.update(replica_host=LOOPBACK, replica_db_port=pair.replica.port, replica_db_password=PASSWORD)
	(folder / "site_config.json").write_text(json.dumps({**config, **named}))


@pytest.fixture(scope="package", autouse=True)
def site(usual_site, pair):
	"""The site on the pair of servers, in place of the test site."""
	folder = Path(os.environ["SITES_PATH"]) / NAME
	configure(folder, pair)
	connect(NAME)
	frappe.clear_cache()
	yield NAME
	forget_jobs()
	connect(usual_site)
	shutil.rmtree(folder)


def forget_jobs():
	"""No worker may look for a site that is gone."""
	for queue in get_queues():
		for job in queue.jobs:
			if job.kwargs.get("site") == NAME:
				job.delete()


@pytest.fixture(scope="package")
def server(site, tmp_path_factory):
	running = Server(site, tmp_path_factory.mktemp("server") / "web.log", workers=1).start()
	yield running
	running.stop()
	assert not running.unfit_answers()


@pytest.fixture(autouse=True)
def healthy(site, pair):
	"""Each test begins with a replica that runs, and follows when the test wants it to."""
	pair.follow()


@pytest.fixture
def wallet(server, site, pair):
	"""A wallet that the replica has, and a phone that pulls it for the first time."""
	two = Wallet(server, site)
	two.key = two.write()
	pair.catch_up()
	return two


@pytest.fixture
def complaints(site):
	"""The lines that were logged about the replica since the test began."""
	log = Path(frappe.get_site_path("logs", "hisabi_sync.log"))
	before = len(lines(log))
	return lambda: lines(log)[before:]


def lines(log):
	return [line for line in log.read_text().splitlines() if "replica" in line] if log.exists() else []


@pytest.fixture
def behind(pair):
	"""To be called: from then on the replica gets nothing new."""
	return lambda: pair.replica.ask("STOP SLAVE")
