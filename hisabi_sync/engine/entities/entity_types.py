"""Entity types: what a DocType looks like to a device. Compiled once a process, rebuilt when anything changes.

A version in the database says of which state of the definitions a Registry is. Every transaction asks for it anew: pushes
and pulls read it with the space that they are about; everything else goes by what Redis holds of it, which is a moment
behind.

Source of each entity type is a Sync Entity document, made in the Desk or declared by an app (see `declared`).
"""

from collections.abc import Callable, Collection
from typing import Any

import frappe
from frappe.model.meta import Meta

from hisabi_sync import compat
from hisabi_sync.engine.database import background, transaction
from hisabi_sync.engine.entities import compiler, definitions, retyped
from hisabi_sync.engine.entities.type_registry import Broken, Registry
from hisabi_sync.engine.model.entity_type import EntityType

VERSION_KEY = "hisabi_sync_entities"
COMPILING = "hisabi_sync_compiling"
# What a transaction keeps: what it knows, and whether it is changing the definitions itself.
KNOWN, CHANGED = "hisabi_sync_known", "hisabi_sync_changed"
REGISTRY, TOLD = "registry", "told"  # what it knows: its Registry, and the version that it was told
KEPT = 2
PAYLOAD_LIMIT = 100
_compiled: dict[str, dict[Any, Registry]] = {}  # {site: {version: Registry}}
# {site: (state of the definitions, {name: (what its Sync Entity says, EntityType)})}
_parts: dict[str, tuple[str, dict[str, tuple[dict[str, Any], EntityType]]]] = {}
NO_MATTER = frozenset(
	"name creation modified modified_by owner problem _user_tags _comments _assign _liked_by".split()
)


def registry() -> Registry:
	"""The entity types of this site."""
	known = _known()
	cached: Registry | None = known.get(REGISTRY)
	if cached is None or (cached.version is None and not _changing()):
		cached = known[REGISTRY] = _load()
	return cached


def _known() -> transaction.State:
	"""What the open transaction knows. The next one asks anew: a job has many of them, and may go on for hours."""
	known = transaction.state(KNOWN)
	return transaction.keep(KNOWN, dict.clear, line="after_commit") if known is None else known


def forget(*_args: Any, **_kwargs: Any) -> None:
	"""Make every process rebuild its entity types; called by hooks when a DocType or a listener changes.

	The version that says so is committed with the change, so that who reads the one has the other. It is locked last.
	"""
	if not _changing():
		changing = transaction.keep(CHANGED, _settle, line="after_commit")
		frappe.db.before_commit.add(lambda: changing.update(version=_write_version()))
		# Changing a table commits; Frappe ends a request without a commit when nothing was written after that.
		frappe.db.transaction_writes += 1
	_known().pop(REGISTRY, None)


def _write_version() -> str:
	for name in retyped.note(registry().by_name.values()):
		background.enqueue_reconcile(name)
	return definitions.write_version()


def renew() -> None:
	"""Have every process compile anew, in a transaction of its own.

	Changing a table commits a part of an edit. Where the rest failed nobody wrote a version, and what is judged by is not
	what Frappe stores by.
	"""
	forget()
	frappe.db.commit()


def _changing() -> bool:
	"""Whether the open transaction changes the definitions itself."""
	return transaction.state(CHANGED) is not None


def _settle(changed: transaction.State) -> None:
	_clean()
	frappe.cache.set_value(VERSION_KEY, changed["version"])


def _clean() -> None:
	for name in (CHANGED, KNOWN):
		setattr(frappe.local, name, None)


def tell(token: str) -> None:
	"""The version as the open transaction sees it, from who reads that along with something else."""
	known = _known()
	cached = known.get(REGISTRY)
	if not _changing() and (cached is None or cached.version != token):
		known.update({REGISTRY: None, TOLD: token})
		if cached is not None:
			_remember(token)


def version() -> str:
	"""A text that grows whenever the entity types change."""
	told = _known().get(TOLD)
	current = _in_redis() if told is None else told
	return definitions.read_version() if current is None else current


def _in_redis() -> str | None:
	"""Frappe would keep the first answer for as long as a request or a job takes."""
	frappe.local.cache.pop(frappe.cache.make_key(VERSION_KEY), None)
	return frappe.cache.get_value(VERSION_KEY)


def _load() -> Registry:
	if getattr(frappe.local, COMPILING, False):
		return Registry([])  # for what is saved meanwhile, such as a line in the Error Log
	if _changing():
		# What this transaction is changing is nobody else's yet, and not complete.
		return _guarded(frappe.get_meta, None)
	current, known = version(), _compiled.setdefault(frappe.local.site, {})
	compiled = known.get(current)
	if compiled is None:
		# What is read now belongs to the version that is read with it, whatever Redis says.
		current = definitions.read_version()
		compiled = known.get(current) or _keep(known, _guarded(Meta, current))
		_remember(current)
	return compiled


def _guarded(get_meta: Callable[[str], Meta], current: str | None) -> Registry:
	"""While an app is upgraded its DocTypes may be missing for a moment; that ends in a log, which is a document too."""
	setattr(frappe.local, COMPILING, True)
	try:
		rows = _rows()
		return _compile(rows, get_meta, current, _Kept(current, rows))
	finally:
		setattr(frappe.local, COMPILING, False)


def _keep(known: dict[Any, Registry], compiled: Registry) -> Registry:
	"""One more than the latest, for transactions that began before it."""
	known[compiled.version] = compiled
	for old in sorted(list(known))[:-KEPT]:
		known.pop(old, None)
	return compiled


def _remember(current: str) -> None:
	"""Redis may have missed a version, or lost all of them."""
	held = _in_redis()
	if held is None or held < current:
		frappe.cache.set_value(VERSION_KEY, current)


class _Kept:
	"""Entity types of the latest version that this process compiled, as far as they would come out the same now."""

	def __init__(self, current: str | None, rows: list[frappe._dict]) -> None:
		self.current, self.state = current, definitions.state() if rows else ""
		state, known = _parts.get(frappe.local.site, ("", {}))
		self.known = known if state == self.state else {}

	def entity(self, row: frappe._dict) -> EntityType | None:
		held = self.known.get(row.name)
		return held[1] if held and held[0] == _asked(row) else None

	def keep(self, rows: list[frappe._dict], entities: list[EntityType]) -> None:
		"""What an open transaction has made of them is nobody else's."""
		if self.current is None:
			return
		asked = {row.name: _asked(row) for row in rows}
		_parts[frappe.local.site] = (self.state, {e.name: (asked[e.name], e) for e in entities})
		old = {id(entity) for _, entity in self.known.values()}
		compat.forget_metas([entity.doctype for entity in entities if id(entity) not in old])


def _asked(row: frappe._dict) -> dict[str, Any]:
	"""What a Sync Entity says of its entity type."""
	fields = [{n: v for n, v in field.items() if n not in NO_MATTER} for field in row.fields]
	return {**{n: v for n, v in row.items() if n not in NO_MATTER}, "fields": fields}


def _compile(
	rows: list[frappe._dict],
	get_meta: Callable[[str], Meta],
	current: str | None,
	kept: "_Kept | None" = None,
) -> Registry:
	usable: list[EntityType] = []
	broken: list[Broken] = []
	for row in rows:
		entity = (kept and kept.entity(row)) or _compile_one(row, get_meta)
		if isinstance(entity, Broken):
			broken.append(entity)
		else:
			usable.append(entity)
	if kept:
		kept.keep(rows, usable)
	if current is not None and _have_changed(rows, broken):
		background.enqueue_note_problems()
	enabled = [row.modified for row in rows if row.enabled]
	return Registry(usable, (len(enabled), max(enabled, default=None)), broken, current)


def _have_changed(rows: list[frappe._dict], broken: Collection[Broken]) -> bool:
	reasons = {found.name: found.reason for found in broken}
	return any((row.get("problem") or "") != reasons.get(row.name, "") for row in rows)


def note_problems() -> None:
	"""Job: write into each Sync Entity why devices cannot use it, where its form and its list show that."""
	reasons = {found.name: found.reason for found in registry().broken.values()}
	for name, problem in frappe.get_all("Sync Entity", fields=["name", "problem"], as_list=True):
		if (problem or "") != reasons.get(name, ""):
			frappe.db.set_value("Sync Entity", name, "problem", reasons.get(name), update_modified=False)
	frappe.db.commit()
	frappe.publish_realtime("list_update", {"doctype": "Sync Entity"}, doctype="Sync Entity")


def _rows() -> list[frappe._dict]:
	if not frappe.db.table_exists("Sync Entity"):
		return []
	# Past the definitions: while a migration imports one of these three DocTypes anew it does not exist for a moment.
	rows = frappe.db.sql("SELECT * FROM `tabSync Entity` ORDER BY `rank`, name", as_dict=True)
	fields = frappe.db.sql(
		"SELECT * FROM `tabSync Entity Field` WHERE parenttype = 'Sync Entity' ORDER BY idx", as_dict=True
	)
	limit = _payload_limit()
	for row in rows:
		row.fields = [f for f in fields if f.parent == row.name]
		row.max_payload_kib = row.max_payload_kib or limit
	return rows


def _payload_limit() -> int:
	"""KiB of an item where its Sync Entity names none."""
	rows = frappe.db.sql(
		"SELECT value FROM `tabSingles` WHERE doctype = 'Sync Settings' AND field = 'max_payload_kib'"
	)
	return int((rows and rows[0][0]) or PAYLOAD_LIMIT)


def _compile_one(row: frappe._dict, get_meta: Callable[[str], Meta]) -> EntityType | Broken:
	"""The EntityType, or Broken: a broken declaration must not keep other documents from being saved."""
	try:
		return compiler.entity_type(row, get_meta)
	except Exception as error:
		frappe.log_error(f"Sync Entity {row.name} cannot be used", frappe.get_traceback())
		reason = f"{type(error).__name__}: {error}"[:500]
		return Broken(row.name, row.entity_type, row.document_type, row.space_type, reason)
