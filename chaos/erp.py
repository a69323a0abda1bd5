"""A second Frappe site with the app, served over HTTP: somebody's ERP."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chaos.server import Server

SITE, TENANT = os.environ["HISABI_ERP"], "erp"
PROGRAM = """
import json, os, sys, frappe
from hisabi_sync import tenants
frappe.init(site=os.environ["HISABI_ERP"]); frappe.connect(); frappe.set_user("Administrator")
tenants.ensure("erp")
user = frappe.get_doc("User", "Administrator")
key, secret = frappe.generate_hash(length=15), frappe.generate_hash(length=15)
user.api_key, user.api_secret = key, secret
user.save()
frappe.db.commit()
print("ANSWER" + json.dumps({"key": key, "secret": secret}))
"""
QUERY = """
import json, os, sys, frappe
frappe.init(site=os.environ["HISABI_ERP"]); frappe.connect(); frappe.set_user("Administrator")
print("ANSWER" + json.dumps(frappe.db.sql(sys.argv[1]), default=str))
"""


class ErpServer(Server):
	"""Every host name reaches the one site."""

	def __init__(self, log: str | Path, workers: int = 2) -> None:
		super().__init__(SITE, log, workers, "devtool.wsgi:application")
		subprocess.run(
			shlex.split(os.environ["HISABI_SET_UP_ERP"]), check=True, capture_output=True, timeout=600
		)
		self.key = ask(PROGRAM)

	def start(self) -> "ErpServer":
		"""Start a site's web server in the place of another system."""
		held = os.environ["FRAPPE_SITE"]
		os.environ["FRAPPE_SITE"] = SITE
		try:
			super().start()
			return self
		finally:
			os.environ["FRAPPE_SITE"] = held

	def orders(self, numbers: Iterable[str]) -> list[list[Any]]:
		"""Rows (number, status, customer, total, external_id) with these numbers."""
		wanted = ", ".join(f"'{number}'" for number in numbers)
		return ask(
			QUERY,
			"SELECT order_number, status, customer, total, external_id FROM `tabHisabi Order` "  # noqa: S608
			f"WHERE order_number IN ({wanted}) ORDER BY order_number",
		)


def ask(program: str, *arguments: str) -> Any:
	"""Run a program in a Python of its own; returns the JSON that it prints after ANSWER."""
	done = subprocess.run(
		[sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120, check=True
	)
	return json.loads(done.stdout.partition("ANSWER")[2])
