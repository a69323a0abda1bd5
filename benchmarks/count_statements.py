"""Prints how many SQL statements one whole request costs, authentication included. Run as a module.

Arguments: method path, JSON body, device token. The second of two equal requests counts, so that caches are warm.
"""

import json
import os
import sys
from typing import Any

import frappe
import frappe.app
from frappe.database.mariadb.database import MariaDBDatabase
from werkzeug.test import Client


class Counted:
	"""Counts the statements of every connection that Frappe opens in this process."""

	def __init__(self) -> None:
		self.seen: list[str] = []
		self.plain = MariaDBDatabase.sql

	def __enter__(self) -> list[str]:
		def sql(database: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
			self.seen.append(" ".join(str(query).split())[:120])
			return self.plain(database, query, *args, **kwargs)

		MariaDBDatabase.sql = sql
		return self.seen

	def __exit__(self, *exception: object) -> None:
		MariaDBDatabase.sql = self.plain


def main(method: str, body: str, token: str) -> None:
	"""Print the status, the statements and the body of the second of two equal requests, as JSON."""
	client = Client(frappe.app.application)
	headers = {"Authorization": f"Bearer {token}", "X-Frappe-Site-Name": os.environ["HISABI_SITE"]}
	for _ in range(2):
		with Counted() as seen:
			response = client.post(f"/api/method/{method}", json=json.loads(body), headers=headers)
	print(json.dumps({"status": response.status_code, "statements": seen, "body": response.get_json()}))


if __name__ == "__main__":
	main(*sys.argv[1:])
