"""Documents of one transaction that are numbered together, so that a job which saves thousands pays little for each.

The first document of a transaction is numbered when it is saved, as a person's save is. Further ones are gathered, and numbered
with a few statements for CHUNK of them, at the latest before the commit. Only what stands in the database at that moment counts: a
document that a savepoint took back is as if it had never been saved.
"""

from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine import comparing, waiting
from hisabi_sync.engine.database import retry, transaction
from hisabi_sync.engine.entities import contracts
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import files
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.store import sequence

FIRST, GATHERED = "hisabi_sync_first_document", "hisabi_sync_gathered"
CHUNK = 500
Values = dict[str, Any]


class Seen:
	"""A document as it was before its first save in the transaction (`previous`, None if it is new), and after its last one.

	`before` are canonical values, where an earlier transaction knows them better than Frappe.
	"""

	__slots__ = ("after", "before", "previous")

	def __init__(self, previous: Document | None, before: Values | None) -> None:
		self.previous, self.before = previous, before
		self.after: Values | None = None

	def values(self, entity: EntityType) -> Values | None:
		"""Canonical values before the transaction, None of a document that it made."""
		return self.before or (entity.canonical(self.previous) if self.previous else None)


Groups = dict[tuple[str, str], dict[str, Seen]]  # {(entity type, user): {document name: Seen}}


def takes(doc: Document, entity: EntityType) -> bool:
	"""Whether a saved document is numbered with others, later in its transaction."""
	first = transaction.state(FIRST)
	if first is None:
		first = transaction.keep(FIRST, dict.clear, line="after_commit")
	if entity.name not in first:
		first[entity.name] = _may_wait(entity)
	if not first[entity.name] or not _stands_alone(doc, entity):
		return False
	if first.setdefault("", (doc.doctype, doc.name)) == (doc.doctype, doc.name):
		return False
	_add(doc, entity)
	return True


def _may_wait(entity: EntityType) -> bool:
	"""Whether nothing depends on a record before the commit: neither values of others nor columns of the document."""
	if entity.stamps or entity.computed or entity.space_path == "name":
		return False
	return not contracts.is_followed(entity.space_type, entity.doctype)


def may_wait(doc: Document, entity: EntityType) -> bool:
	"""Whether nothing depends on the document's record before the commit, and its id is not one that it had before."""
	return _may_wait(entity) and not entity.client_id_field and _stands_alone(doc, entity)


def _stands_alone(doc: Document, entity: EntityType) -> bool:
	return not (doc.get("__onload") or _names_files(doc, entity))


def _names_files(doc: Document, entity: EntityType) -> bool:
	"""Whether a document names uploads, which are looked at when it is saved."""
	values = {field.name: field.load(doc.get(field.name)) for field in entity.acting}
	return bool(files.keys(values, entity.acting))


def _add(doc: Document, entity: EntityType) -> None:
	gathered = transaction.state(GATHERED)
	if gathered is None:
		gathered = transaction.keep(GATHERED, _flush)
		transaction.postpone(sequence.PENDING)
	groups: Groups = gathered.setdefault("groups", {})
	members = groups.setdefault((entity.name, frappe.session.user), {})
	seen = members.setdefault(str(doc.name), _seen(doc))
	doc.flags.hisabi_sync_seen = (doc.get_doc_before_save(), seen)
	if len(members) >= CHUNK:
		_compare(entity.name, frappe.session.user, groups.pop((entity.name, frappe.session.user)))


def _seen(doc: Document) -> Seen:
	"""Frappe keeps the document of before the last save, also when it was committed since: then its values after it count."""
	previous = doc.get_doc_before_save()
	before = known_values(doc)
	return Seen(previous, before)


def known_values(doc: Document) -> Values | None:
	"""Values after the last save, if Frappe still keeps the document of before it, as it does for a `db_set` after a save."""
	noted = doc.flags.hisabi_sync_seen
	if not noted or noted[0] is not doc.get_doc_before_save():
		return None
	return noted[1].after if isinstance(noted[1], Seen) else noted[1]


def release(doc: Document, entity: EntityType) -> None:
	"""A document is numbered by itself now: number first what was gathered of its type, if it is among that."""
	release_named(entity, str(doc.name))


def release_named(entity: EntityType, name: str) -> None:
	"""The same for a document by its name."""
	groups: Groups = (transaction.state(GATHERED) or {}).get("groups", {})
	for key, members in groups.items():
		if key[0] == entity.name and name in members:
			return flush()


def flush() -> None:
	"""Number now what was gathered: something needs the records."""
	gathered = transaction.state(GATHERED)
	if gathered:
		_flush(gathered)


def _flush(gathered: transaction.State) -> None:
	groups: Groups = gathered.pop("groups", {})
	for (entity_type, user), seen in sorted(groups.items()):
		_compare(entity_type, user, seen)


def _compare(entity_type: str, user: str, seen: dict[str, Seen]) -> None:
	"""If one of them cannot be numbered, a job tries each by itself: the transaction has other things to commit."""
	entity = registry().by_name.get(entity_type)
	if entity is None:
		return
	try:
		with transaction.savepoint("sync_gathered"):
			_number(entity, user, seen)
	except Exception as error:
		if retry.ends_transaction(error):
			raise
		waiting.add([(entity_type, "", name) for name in sorted(seen)])


def _number(entity: EntityType, user: str, seen: dict[str, Seen]) -> None:
	found = {name: own_values for name, one in seen.items() if (own_values := one.values(entity)) is not None}
	after = comparing.compare_seen(entity, sorted(seen), found, user)
	for name, values in after.items():
		seen[name].after = values
