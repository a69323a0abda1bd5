"""What a person or a program must know to use the running site."""

import json
from typing import Any

from devtool import Problem, mariadb, redis_server, serve
from devtool.bench import Site
from devtool.site import ADMIN_PASSWORD
from devtool.steps import write_atomically

ADMINISTRATOR = {
	"user": "Administrator",
	"password": ADMIN_PASSWORD,
	"roles": ["Administrator", "System Manager"],
}


def collect(site: Site) -> dict[str, Any]:
	"""What there is to know of a site, as JSON values. Raises Problem before it is set up."""
	if not (site.path / "site_config.json").is_file():
		raise Problem("Nothing is set up yet: run ./dev start first.")
	demo = json.loads(site.demo_file.read_text()) if site.demo_file.is_file() else {}
	users = [user for user in demo.get("users", []) if user["user"] != ADMINISTRATOR["user"]]
	own = {
		"url": serve.url(site),
		"site": site.name,
		"users": [ADMINISTRATOR, *users],
		"database": _database(site),
		"redis": redis_server.urls(site.settings, site.bench.path),
		"processes": serve.states(site),
		"logs": [str(site.settings.logs), str(site.bench.path / "logs")],
	}
	return {"wallet_id": None, "device_id": None, "device_token": None} | demo | own


def _database(site: Site) -> dict[str, Any]:
	server, config = mariadb.database(site.settings), site.config()
	return {
		"host": server.host,
		"port": server.port,
		"socket": str(server.socket) if server.socket else None,
		"name": config["db_name"],
		"user": config["db_name"],
		"password": config["db_password"],
	}


def write(site: Site) -> str:
	"""Write the information for other programs; the path."""
	path = site.settings.run / "info.json"
	write_atomically(path, json.dumps(collect(site), indent=1))
	return str(path)


def show(site: Site) -> None:
	"""Print addresses, users, tokens and processes."""
	facts = collect(site)
	print(f"\n{facts['url']}  (site {facts['site']})\n")
	for user in facts["users"]:
		print(f"  {user['user']:<32}{user['password']:<20}{', '.join(user.get('roles', []))}")
	for name in ("wallet_id", "device_id", "device_token"):
		if facts[name]:
			print(f"  {name:<32}{facts[name]}")
	print(f"\n  {'logs':<32}{' and '.join(facts['logs'])}")
	print("\n  " + ", ".join(f"{name} {state}" for name, state in facts["processes"].items()))
