"""The database of an older release on a MariaDB of its own, brought to the present one as `bench migrate` does it.

`before.sql.xz` holds the app's tables and the demo site's people as commit d4ba12f left them, `held.json` what devices
had in their hands at that moment. Nobody changes these files: they stand for sites and phones that are out there.
"""

import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

from chaos.database import EMPTY, Database
from chaos.site import own_tables

FOLDER = Path(__file__).parent
SITE = "older.localhost"  # a name of its own: workers of the test bench must not take its jobs for theirs
HELD = json.loads((FOLDER / "held.json").read_text())
# Frappe reads a DocType's file again only where this differs; credentials would have expired on the shelf.
PREPARE = """
UPDATE `tabDocType` d JOIN `tabModule Def` m ON m.name = d.module SET d.migration_hash = NULL WHERE m.app_name = 'hisabi_sync';
DELETE FROM `tabPatch Log` WHERE patch LIKE 'hisabi_sync%';
"""
KEEP_ALIVE = "UPDATE `tabSync Device` SET expires_at = DATE_ADD(NOW(), INTERVAL 90 DAY), last_seen = NOW();"


class Older(Database):
	"""A copy of the test site in which the app's tables are those of the older release."""

	def _fill(self) -> None:
		super()._fill()
		self._run(PREPARE.encode() + lzma.decompress((FOLDER / "before.sql.xz").read_bytes()))
		self._run(KEEP_ALIVE.encode())

	def _run(self, statements: bytes) -> None:
		load = ["mariadb", "--no-defaults", "--host=127.0.0.1", f"--port={self.port}", f"--user={self.name}"]
		subprocess.run(
			[*load, self.name], check=True, input=statements, env=os.environ | {"MYSQL_PWD": self.password}
		)

	def sites(self, original: str) -> Path:
		"""A bench's sites folder in which the older site has its own name and its own key."""
		sites = self.bench(original)
		(sites / original).rename(sites / SITE)
		config = sites / SITE / "site_config.json"
		known = json.loads(config.read_text())
		config.write_text(json.dumps({**known, "encryption_key": HELD["encryption_key"]}))
		return sites


def make(folder: Path, site: str, conf: dict) -> tuple[Older, Path]:
	"""(database, sites folder) of the older site, not yet migrated."""
	database = Older(folder, conf, empty=(*EMPTY, *own_tables(conf)))
	database.create()
	return database, database.sites(site)


def command(sites: Path, *arguments: str) -> str:
	"""Run one of Frappe's commands on the older site; returns what it printed."""
	argv = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", SITE, *arguments]
	env = os.environ | {"SITES_PATH": str(sites), "FRAPPE_BENCH_ROOT": str(sites.parent)}
	done = subprocess.run(argv, cwd=sites, env=env, capture_output=True, text=True, timeout=600)
	assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
	return done.stdout
