"""What an upsert is: a create, or an update of the version that its device has seen."""

from hisabi_sync.engine import ids, sql
from hisabi_sync.engine.change import CREATE, UPDATE

COLUMNS = ["name", "sequence", "doc_version", "deleted_at", "document_type", "document_name"]


def choose(caller, changes, seen, given):
	"""Set operation and base version of changes that are upserts, in a fixed number of statements.

	`seen` is the position of the device's cursor, `given` maps indexes of changes to the versions that it named. Returns
	{record: (its sequence, its version)} as they are before the changes.
	"""
	upserts = [change for change in changes if not change.error and change.intent is None]
	names = {c.index: ids.record(caller.space, c.entity_type, c.client_id) for c in upserts}
	rows = {row[0]: row for row in sql.select_in("Sync Record", COLUMNS, "name", sorted(set(names.values())))}
	written, made = _written(rows.values()), set()
	for change in upserts:
		name = names[change.index]
		new = name not in rows and name not in made
		change.operation = CREATE if new else UPDATE
		change.base_version = None if new else _base(change, rows.get(name), seen, given, written)
		made.add(name)
	return {name: (row[1], row[2]) for name, row in rows.items()}


def _base(change, row, seen, given, written):
	"""The named version; else the present one, if it lies behind the cursor and was written before the change.

	Without either nobody knows what the device had seen, so every field is judged by the times of the writes.
	"""
	named = given.get(change.index)
	if named is not None or row is None:
		return named or 0
	_name, sequence, version, _deleted_at, _doctype, document = row
	before = written.get(document)
	return version if sequence <= seen and (before is None or change.client_time > before) else 0


def _written(rows):
	"""{document: when it was last written, by the clock of whoever wrote it}; one statement for each DocType."""
	by_doctype = {}
	for *_, doctype, document in rows:
		by_doctype.setdefault(doctype, set()).add(document)
	found = {}
	for doctype, names in by_doctype.items():
		found.update(sql.select_in(doctype, ["name", "updated_at"], "name", sorted(names - {None})))
	return found
