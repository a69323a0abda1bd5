"""Which locks a piece of work takes, in their order, read from the statements that it sends to MariaDB."""

import re

import frappe
from frappe.database.mariadb.database import MariaDBDatabase

from hisabi_sync.engine.entities import entity_types

HELD, DOCUMENT, RECORD, COUNTER = "held", "document", "record", "counter"
ORDER = (HELD, DOCUMENT, RECORD, COUNTER)
LOCKING = re.compile(r"^(UPDATE|DELETE|INSERT|REPLACE)|FOR UPDATE|LOCK IN SHARE MODE", re.IGNORECASE)
TABLE = re.compile(r"(?:FROM|INTO|UPDATE)\s+`?tab([A-Z][A-Za-z ]*[a-z])`?", re.IGNORECASE)
COMMITTED = "committed"


class Locks:
	"""The locks of each transaction inside the block, as [[(kind, table), ...], ...]; `all` has every locking statement."""

	def __init__(self, held):
		self.held, self.transactions, self.all, self.plain = held, [[]], [], MariaDBDatabase.sql
		self.synced = {entity.doctype for entity in entity_types.registry().by_name.values()}

	def __enter__(self):
		def sql(database, query, *args, **kwargs):
			self._note(" ".join(str(query).split()))
			return self.plain(database, query, *args, **kwargs)

		MariaDBDatabase.sql = sql
		return self

	def __exit__(self, *exception):
		MariaDBDatabase.sql = self.plain
		self.transactions = [taken for taken in self.transactions if taken]

	def _note(self, query):
		if query.lower() in ("commit", "rollback"):
			self.transactions.append([])
		elif LOCKING.search(query):
			self.all.append(query)
			table = TABLE.search(query)
			kind = self._kind(query, table[1]) if table else None
			if kind and kind not in dict(self.transactions[-1]):
				self.transactions[-1].append((kind, table[1]))

	def _kind(self, query, table):
		if table == self.held and not query.upper().startswith("INSERT"):
			return HELD
		if table == "Sync Space":
			return COUNTER if "sequence = LAST_INSERT_ID(sequence +" in query else None
		if table == "Sync Record":
			return RECORD
		return DOCUMENT if table in self.synced else None


def in_order(taken):
	"""Whether the first locks of each kind come in the one order."""
	kinds = [ORDER.index(kind) for kind, _ in taken]
	return kinds == sorted(kinds)


def deadlocks():
	"""How many deadlocks this MariaDB has seen."""
	return int(frappe.db.sql("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")[0][1])
