"""What moves, moves together: the documents that find their space through a document which changed go along with it.

Few of them are moved in the transaction of the change, many by a job (see `waiting`). Both cost as much as there is to move.
"""

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import comparing, gathering, push_context, waiting
from hisabi_sync.engine.database import retry, transaction
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.store import path_queries

if TYPE_CHECKING:
	from hisabi_sync.engine.batch import Batch

AT_ONCE = 500  # documents in all that are moved in the transaction of the change
LATER = "what moves with a push"  # key of a caller's memo: {(DocType, name)}

ASSIGNMENT = "ToDo"  # documents that assign other documents to users
Root = tuple[str, str]  # (DocType, name) of a document that others hang on
Entities = Callable[[str], Iterable[EntityType]]


def note(doc: Document, caller: Caller | None) -> None:
	"""A document was saved. If others find their space through what changed, move them; at the end of a push, if it is one."""
	if doc.doctype == ASSIGNMENT:
		_follow_assigned(doc, caller)
	fields = registry().on_paths.get(doc.doctype)
	if not fields or not [field for field in fields if _has_moved(doc, field)]:
		return
	root = (doc.doctype, str(doc.name))
	if caller is None:
		bring([root])
	else:
		caller.memo.setdefault(LATER, set()).add(root)


def note_deleted(doc: Document, caller: Caller | None) -> None:
	"""A document was deleted. What hangs on it by links stays; only an assignment ends with its ToDo."""
	if doc.doctype == ASSIGNMENT:
		_follow_assigned(doc, caller)


def _follow_assigned(doc: Document, caller: Caller | None) -> None:
	"""An assignment was made, changed or removed: the document lies in the spaces of those to whom it is assigned now.

	During a push it moves at the end, so that nothing of the push loses sight of its record.
	"""
	for one in filter(None, (doc.get_doc_before_save(), doc)):
		entity = registry().by_doctype.get(one.reference_type or "")
		if not (entity and one.reference_name and entity.is_assigned):
			continue
		if caller:
			push_context.bring_later(caller, entity, one.reference_name)
		else:
			gathering.flush()
			_move(entity.name, {str(one.reference_name)})


def _has_moved(doc: Document, field: str) -> bool:
	"""Whether a value differs from what the others were moved by last. Frappe keeps the document of before the last save."""
	previous = doc.get_doc_before_save()
	if previous is None:
		return False
	followed = doc.flags.hisabi_sync_followed
	if not followed or followed[0] is not previous:
		followed = doc.flags.hisabi_sync_followed = (previous, {})
	before = followed[1].get(field, previous.get(field))
	followed[1][field] = doc.get(field)
	return bool(_plain(before) != _plain(doc.get(field)))


def _plain(value: Any) -> Any:
	"""A value that can be compared; of a table the values of its rows."""
	return [row.get_valid_dict() for row in value] if isinstance(value, list) else value


def after_push(batch: "Batch") -> None:
	"""Move what a push left to its end, and what hangs on the documents that it wrote, when all else is written."""
	for entity_type, names in push_context.to_bring(batch.caller):
		_move(entity_type, names)
	roots = {*batch.caller.memo.pop(LATER, ()), *_written(batch)}
	if roots:
		bring(sorted(roots))


def _written(batch: "Batch") -> Iterable[Root]:
	"""Documents that were written in bulk, without hooks, in a field through which others find their space."""
	for name, before in batch.before.items() if batch.registry.on_paths else ():
		stored = batch.stored[name]
		entity = batch.registry.by_name[stored.entity_type]
		fields = (
			batch.registry.on_paths.get(entity.doctype, ()) if entity.bulk and before and stored.live else ()
		)
		if before and any(
			before.get(field) != stored.values.get(field) for field in fields if field in entity.fields
		):
			yield entity.doctype, stored.document_name or ""


def bring(roots: Collection[Root], entities: Entities = path_queries.entities_through) -> None:
	"""Move what hangs on documents to where it lies now: at once, or by a job if that is more than AT_ONCE in all.

	`entities` gives the entity types to look at for a DocType.
	"""
	gathering.flush()
	found: dict[str, set[str]] = {}
	for doctype, name in roots:
		for entity in entities(doctype):
			room = AT_ONCE + 1 - sum(map(len, found.values()))
			found.setdefault(entity.name, set()).update(path_queries.hanging(entity, doctype, name, room))
			if sum(map(len, found.values())) > AT_ONCE:
				return _leave_to_a_job(roots, entities)
	for entity_type, names in found.items():
		_move(entity_type, names)


def _move(entity_type: str, names: set[str]) -> None:
	"""One document that cannot be moved does not stop the change: a job tries each by itself."""
	try:
		with transaction.savepoint("sync_move"):
			comparing.compare(registry().by_name[entity_type], sorted(names))
	except Exception as error:
		if retry.ends_transaction(error):
			raise
		waiting.add([(entity_type, "", name) for name in sorted(names)])


def _leave_to_a_job(roots: Collection[Root], entities: Entities) -> None:
	waiting.add([(entity.name, *root) for root in roots for entity in entities(root[0])])
	said = _(
		"More than {0} documents move along: a worker tells the devices, and the report Sync Health how many wait"
	)
	frappe.msgprint(said.format(AT_ONCE), alert=True)
