"""The entity types of a site: compiled once for each process, and again when a definition changes.

Each entity type comes from a Sync Entity, which is made in the Desk or declared by a contract (see `contracts`). A Registry
belongs to a version of the definitions, which the database holds. Each transaction looks the version up: pushes and pulls
read it with their space, everything else takes it from Redis, which may be a moment behind.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import frappe
from frappe.model.document import Document
from frappe.model.meta import Meta

from hisabi_sync import compat
from hisabi_sync.engine.database import background, sql, transaction, wake
from hisabi_sync.engine.entities import (
	compiled_before,
	compiler,
	definitions,
	listeners,
	retyped,
	space_types,
)
from hisabi_sync.engine.entities.shared_metas import SharedMetas
from hisabi_sync.engine.entities.type_registry import Broken, Registry
from hisabi_sync.engine.model.space_type import SpaceType

VERSION_KEY = "hisabi_sync_entities"
COMPILING = "hisabi_sync_compiling"
# State of a transaction: what it knows, and whether it changes the definitions itself.
KEPT_HERE, CHANGED = "hisabi_sync_kept", "hisabi_sync_changed"
REGISTRY, TOLD = "registry", "told"  # what it knows: its Registry, and the version that `use_version` brought
KEPT = 2
PAYLOAD_LIMIT = 100
_compiled: dict[str, dict[Any, Registry]] = {}  # {site: {version: Registry}}


def registry() -> Registry:
	"""The entity types of this site."""
	kept = _kept_here()
	cached: Registry | None = kept.get(REGISTRY)
	if cached is None or (cached.version is None and not _changing()):
		cached = kept[REGISTRY] = _load()
	return cached


def _kept_here() -> transaction.State:
	"""What the open transaction knows. It is not kept for the next one: a job may go on for hours with many of them."""
	kept = transaction.state(KEPT_HERE)
	return transaction.keep(KEPT_HERE, dict.clear, line="after_commit") if kept is None else kept


def forget(*_args: Any, **_kwargs: Any) -> None:
	"""Make all processes compile their entity types again; hooks call it when a DocType or a listener changes.

	The new version is committed with the change, so nobody can read one without the other. Its row is locked last.
	"""
	if not _changing():
		changing = transaction.keep(CHANGED, _publish, line="after_commit")
		wake.everybody()
		frappe.db.before_commit.add(lambda: changing.update(version=_write_version()))
		# Changing a table commits. Frappe does not commit again at the end of a request unless something was written since.
		frappe.db.transaction_writes += 1
	_kept_here().pop(REGISTRY, None)


def follow(doc: Document, method: str | None = None) -> None:
	"""Hook: a document was saved or deleted. It may decide on which DocTypes a known listener acts (see `listeners`)."""
	if doc.doctype in listeners.watched():
		forget()


def _write_version() -> str:
	for name in retyped.note(registry().by_name.values()):
		background.enqueue_reconcile(name)
	return definitions.write_version()


def renew() -> None:
	"""Make all processes compile again, in a transaction of its own.

	Changing a table commits a part of an edit. If the rest fails, no new version is written, and entity types would differ
	from what Frappe stores.
	"""
	forget()
	frappe.db.commit()


def _changing() -> bool:
	"""Whether the open transaction changes the definitions itself."""
	return transaction.state(CHANGED) is not None


def _publish(changed: transaction.State) -> None:
	_clean()
	frappe.cache.set_value(VERSION_KEY, changed["version"])


def _clean() -> None:
	for name in (CHANGED, KEPT_HERE):
		setattr(frappe.local, name, None)


def use_version(token: str) -> None:
	"""Take over the version of the definitions that the caller has read in the open transaction."""
	kept = _kept_here()
	cached = kept.get(REGISTRY)
	if not _changing() and (cached is None or cached.version != token):
		kept.update({REGISTRY: None, TOLD: token})
		if cached is not None:
			_remember(token)


def version() -> str:
	"""A text that grows whenever the entity types change."""
	told = _kept_here().get(TOLD)
	current = _in_redis() if told is None else told
	return definitions.read_version() if current is None else current


def _in_redis() -> str | None:
	"""The version in Redis, or None. Frappe would keep its first answer for the whole request or job."""
	frappe.local.cache.pop(frappe.cache.make_key(VERSION_KEY), None)
	return frappe.cache.get_value(VERSION_KEY)


def _load() -> Registry:
	if getattr(frappe.local, COMPILING, False):
		return Registry([])  # for what is saved meanwhile, such as a line in the Error Log
	if _changing():
		# What this transaction changes is not complete, and must not reach others.
		return _guarded(None)
	current, compiled_here = version(), _compiled.setdefault(frappe.local.site, {})
	compiled = compiled_here.get(current)
	if compiled is None:
		# The definitions read now belong to the version in the database; that in Redis may differ.
		if compiled_here:
			# A save of the settings is a version too. A transaction that began before it may have cached them as they were.
			compat.forget_documents([("Sync Settings", "Sync Settings")])
		current = definitions.read_version()
		compiled = compiled_here.get(current) or _keep(compiled_here, _guarded(current))
		_remember(current)
	return compiled


def _guarded(current: str | None) -> Registry:
	"""Compile while `registry` gives an empty one: an error while compiling is logged, and the log is a document too."""
	setattr(frappe.local, COMPILING, True)
	try:
		return _compile(_rows(), current)
	finally:
		setattr(frappe.local, COMPILING, False)


def _keep(compiled_here: dict[Any, Registry], compiled: Registry) -> Registry:
	"""Keep a Registry; beside the latest one more is kept, for transactions that began before it."""
	compiled_here[compiled.version] = compiled
	for old in sorted(list(compiled_here))[:-KEPT]:
		compiled_here.pop(old, None)
	return compiled


def _remember(current: str) -> None:
	"""Put a version into Redis if Redis has an older one or none."""
	cached = _in_redis()
	if cached is None or cached < current:
		frappe.cache.set_value(VERSION_KEY, current)


def _compile(rows: list[frappe._dict], current: str | None) -> Registry:
	"""The Registry of these Sync Entities. Without a version it is that of a transaction which changes definitions itself."""
	kept = compiled_before.Kept(rows)
	get_meta = frappe.get_meta if current is None else SharedMetas(kept.state)
	kinds = space_types.compile_all(get_meta)
	_note_followed(rows, kinds)
	parts = [kept.part(row) or _compile_one(row, get_meta) for row in rows]
	usable = [part for part in parts if isinstance(part, compiled_before.Part)]
	broken = [part for part in parts if isinstance(part, Broken)]
	if current is not None:  # those that an open transaction compiles for itself are not for others
		kept.replace(usable)
		if _have_changed(rows, broken):
			background.enqueue_note_problems()
	enabled = [row.modified for row in rows if row.enabled]
	entities = [part.entity for part in usable]
	return Registry(entities, (len(enabled), max(enabled, default=None)), broken, current, kinds)


def _note_followed(rows: list[frappe._dict], kinds: Mapping[str, SpaceType]) -> None:
	"""Memberships follow documents by hooks, which documents written in bulk do not run."""
	followed = space_types.followed(kinds)
	for row in rows:
		row.followed_by = [kind.name for kind in followed.get(row.document_type, ())]


def _have_changed(rows: list[frappe._dict], broken: Collection[Broken]) -> bool:
	reasons = {found.name: found.reason for found in broken}
	return any((row.get("problem") or "") != reasons.get(row.name, "") for row in rows)


def note_problems() -> None:
	"""Job: write into each Sync Entity why devices cannot use it, for its form and list."""
	reasons = {found.name: found.reason for found in registry().broken.values()}
	for name, problem in frappe.get_all("Sync Entity", fields=["name", "problem"], as_list=True):
		if (problem or "") != reasons.get(name, ""):
			frappe.db.set_value("Sync Entity", name, "problem", reasons.get(name), update_modified=False)
	frappe.db.commit()
	frappe.publish_realtime("list_update", {"doctype": "Sync Entity"}, doctype="Sync Entity")


def _rows() -> list[frappe._dict]:
	if not frappe.db.table_exists("Sync Entity"):
		return []
	# Not through the DocTypes: while a migration imports one of these, it does not exist for a moment.
	rows = frappe.db.sql("SELECT * FROM `tabSync Entity` ORDER BY `rank`, name", as_dict=True)
	parts = {table: _parts_of(doctype) for table, doctype in definitions.TABLES.items()}
	limit = _payload_limit()
	for row in rows:
		row.update({table: [p for p in own if p.parent == row.name] for table, own in parts.items()})
		row.max_payload_kib = row.max_payload_kib or limit
	return rows


def _parts_of(doctype: str) -> list[frappe._dict]:
	"""Rows of a child table of Sync Entity. A site that is being migrated may not have the table yet."""
	if not frappe.db.table_exists(doctype):
		return []
	table = sql.quote(f"tab{doctype}")
	return frappe.db.sql(
		f"SELECT * FROM {table} WHERE parenttype = 'Sync Entity' ORDER BY idx",  # noqa: S608
		as_dict=True,
	)


def _payload_limit() -> int:
	"""Largest payload of an item in KiB, for entity types that set none."""
	rows = frappe.db.sql(
		"SELECT value FROM `tabSingles` WHERE doctype = 'Sync Settings' AND field = 'max_payload_kib'"
	)
	return int((rows and rows[0][0]) or PAYLOAD_LIMIT)


def _compile_one(row: frappe._dict, get_meta: Callable[[str], Meta]) -> compiled_before.Part | Broken:
	"""The compiled EntityType, or Broken: an invalid Sync Entity must not stop other documents from being saved."""
	looked_at = compiled_before.LookedAt(get_meta)
	try:
		return compiled_before.Part(row, compiler.entity_type(row, looked_at), looked_at.doctypes)
	except Exception as error:
		frappe.log_error(f"Sync Entity {row.name} cannot be used", frappe.get_traceback())
		reason = f"{type(error).__name__}: {error}"[:500]
		return Broken(row.name, row.entity_type, row.document_type, row.space_type, reason)
