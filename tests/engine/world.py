"""The server of the stateful machine as the database holds it, and as each step may change it."""

from dataclasses import dataclass

import frappe

from hisabi_sync.engine.model import ids
from tests.engine.inside import space_of

TYPES = {
	# what is compared beside the version, as the database holds it
	"Hisabi Account": (
		"account_name",
		"color",
		"icon",
		"opening_balance",
		"current_balance",
		"parent_account",
	),
	"Hisabi Transaction": ("transaction_type", "amount", "account", "note"),
	"Hisabi Debt Request": ("from_phone", "debt_payload"),
	"Hisabi Bucket": ("title", "color"),
	"Hisabi Bucket Template": ("title",),
}
LINKS = {"parent_account": "Hisabi Account", "account": "Hisabi Account"}


@dataclass(frozen=True)
class Held:
	"""One record: what its row in Sync Record and its document say."""

	version: int
	sequence: int
	deleted: bool
	values: tuple | None


class World:
	"""Reads the tables directly; nothing here goes through the engine."""

	def __init__(self, wallet):
		self.wallet, self.space = wallet, space_of(wallet)

	def counter(self):
		return frappe.db.get_value("Sync Space", self.space, "sequence")

	def look(self):
		"""{(entity type, client id): Held} of all records of the space."""
		frappe.db.rollback()
		rows = frappe.db.sql(
			"""SELECT entity_type, client_id, document_name, doc_version, sequence, deleted_at IS NOT NULL
			FROM `tabSync Record` WHERE space = %s""",
			(self.space,),
		)
		documents = {kind: self._documents(kind) for kind in TYPES}
		found = {}
		for kind, client_id, name, version, sequence, deleted in rows:
			values = documents.get(kind, {}).get(name)
			found[kind, client_id] = Held(version, sequence, bool(deleted), None if deleted else values)
			self._agree(kind, client_id, documents, name, version, deleted)
		live = {kind: sum(1 for k, h in found.items() if k[0] == kind and not h.deleted) for kind in TYPES}
		assert live == {kind: len(held) for kind, held in documents.items()}, "documents without a record"
		return found

	def _agree(self, kind, client_id, documents, name, version, deleted):
		if kind not in TYPES:
			return
		assert (name in documents[kind]) == (not deleted), f"{kind} {client_id}: record and document differ"
		if not deleted:
			assert documents[kind][name][0] == version, f"{kind} {client_id}: versions differ"

	def _documents(self, kind):
		columns = ", ".join(f"`{column}`" for column in ("name", "doc_version", *TYPES[kind]))
		rows = frappe.db.sql(
			f"SELECT {columns} FROM `tab{kind}` WHERE wallet_id = %s AND is_deleted = 0",  # noqa: S608
			(self.wallet,),
		)
		found = {row[0]: row[1:] for row in rows}
		for name, bucket, percentage in self._template_rows(kind, found):
			found[name] = (*found[name], bucket, percentage)
		return found

	def _template_rows(self, kind, found):
		if kind != "Hisabi Bucket Template" or not found:
			return ()
		return frappe.db.sql(
			"""SELECT parent, bucket_id, percentage FROM `tabHisabi Bucket Template Item`
			WHERE parent IN %s ORDER BY parent, idx""",
			(tuple(found),),
		)

	def name_of(self, key):
		"""Name of a record's document."""
		return frappe.db.get_value("Sync Record", ids.record(self.space, *key), "document_name")

	def balances(self):
		"""{document: opening balance and all its transactions}, added up here."""
		rows = frappe.db.sql(
			"""SELECT a.name, a.current_balance, a.opening_balance + COALESCE(SUM(
			IF(t.transaction_type = 'income', t.amount, -t.amount)), 0)
			FROM `tabHisabi Account` a
			LEFT JOIN `tabHisabi Transaction` t ON t.account = a.name AND t.is_deleted = 0
			WHERE a.wallet_id = %s AND a.is_deleted = 0 GROUP BY a.name""",
			(self.wallet,),
		)
		return {name: (held, added) for name, held, added in rows}


def check_step(before, after, counter_before, counter_after, accepted):
	"""What one step may do: a version is one change, a number is one change, and nothing else moves.

	`accepted` maps records to the number of changes that a device was told are applied; None after a step in the Desk,
	where any record may go up by what its own events did.
	"""
	numbers = [held.sequence for held in after.values()]
	assert len(set(numbers)) == len(numbers), "two records share a number"
	assert all(1 <= number <= counter_after for number in numbers), "a number outside of the counter"
	for key, held in after.items():
		old = before.get(key)
		if old == held:
			continue
		assert held.sequence > counter_before, f"{key} changed without a new number"
		old_version = old.version if old else 0
		assert held.version > old_version, f"{key} changed without a new version"
		if accepted is not None:
			_check_versions(key, old_version, held.version, accepted)
	gone = set(before) - set(after)
	assert all(before[key].deleted for key in gone), "a live record vanished"


def _check_versions(key, old, new, accepted):
	derived = 1 if key[0] == "Hisabi Account" and not accepted.get(key) else 0
	most = accepted.get(key, 0) + derived
	assert new - old <= most, f"{key}: {new - old} versions for {most} changes"
