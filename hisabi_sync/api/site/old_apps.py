"""Apps that were built for an older schema: what they are told, and the names that they still use. Source: docs/old-apps.md.

A version names the digest of each type. What a digest stands for is kept, so that the server can say what has changed since, and
answer under the names that the app has.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import frappe

from hisabi_sync.api.site import schemas, type_shapes, types
from hisabi_sync.api.site.type_shapes import MINIMUM, Shape
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing.spaces import HeldSpace
from hisabi_sync.engine.store.write import STANDARD

DOCTYPE = "Sync Schema"
KEPT = 600  # seconds for which the present version of a user is kept in Redis
GIVEN_EVERY = timedelta(days=1)  # after which it is noted again that a description is still given
Held = Mapping[str, HeldSpace]


@dataclass(frozen=True, slots=True)
class OldApp:
	"""`changed` is what its answers say beside the data. `names` are {type: {present name: the name that the app has}}."""

	changed: dict[str, Any] | None = None
	names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

	def said(self) -> dict[str, Any]:
		"""`schema_changed` of an answer, if the schema did change."""
		return {} if self.changed is None else {"schema_changed": self.changed}

	def values(self, entity_type: str, values: Mapping[str, Any]) -> dict[str, Any]:
		"""Values under the names that the app has."""
		names = self.names.get(entity_type, {})
		return {names.get(name, name): value for name, value in values.items()}


PRESENT = OldApp()


def described(user: str, held: Held, since: str | None, form: str | None) -> dict[str, Any]:
	"""The answer of the call `schema`; what it describes is kept for later."""
	seen = types.seen_by(user, held)
	remember(seen)
	return schemas.answer(seen, since, form)


def find(version: str | None, user: str, held: Held) -> OldApp:
	"""The OldApp of a version that a call names; PRESENT without one, or if nothing changed. Raises RequestError client_outdated."""
	before = schemas.read_version(version)
	if not before:
		return PRESENT
	current = _current(user, held)
	now = schemas.read_version(current)
	differing = [name for name in before if before[name] != now.get(name)]
	if before == now:
		return PRESENT
	shapes = _shapes(
		{*(before[name] for name in differing), *(now[name] for name in differing if name in now)}
	)
	pairs = {name: (shapes.get(before[name]), shapes.get(now.get(name, ""))) for name in differing}
	_check_minimum(pairs)
	aliases = {name: _aliases(name) for name in differing}
	breaking = [
		line
		for name, (old, new) in pairs.items()
		for line in type_shapes.breaking(name, old, new if name in now else None, aliases[name])
		if name not in now or new is not None
	]
	names = {
		name: type_shapes.renamed(old, new, aliases[name])
		for name, (old, new) in pairs.items()
		if old and new
	}
	return OldApp({"version": current, "breaking": breaking}, names)


def _check_minimum(pairs: Mapping[str, tuple[Shape | None, Shape | None]]) -> None:
	"""Raise RequestError client_outdated if a type asks for newer apps since the app got its schema."""
	for name, (old, new) in pairs.items():
		if old and new and old[MINIMUM] < new[MINIMUM]:
			raise RequestError("client_outdated", minimum=new[MINIMUM], entity_type=name)


def _aliases(name: str) -> Mapping[str, str]:
	entity = entity_types.registry().by_name.get(name)
	return entity.aliases if entity else {}


# --- the present version


def _current(user: str, held: Held) -> str:
	"""The version of now. It is made once for all calls of a user to whom nothing changed."""
	key = f"hisabi_sync_schema:{ids.digest(*_state(user, held))}"
	known = frappe.cache.get_value(key, expires=True)
	if known is None:
		seen = types.seen_by(user, held)
		remember(seen)
		known = schemas.version_of(seen)
		frappe.db.commit()  # also for a call that is refused: what Redis names is there
		frappe.cache.set_value(key, known, expires_in_sec=KEPT)
	return str(known)


def _state(user: str, held: Held) -> list[str]:
	"""What the description of types depends on, apart from rights, which are looked at again after KEPT seconds."""
	kinds = sorted({(one.caller.space_type, one.caller.role, one.status) for one in held.values()})
	return [user, frappe.local.lang, entity_types.version(), repr(kinds)]


# --- what digests stand for


def remember(seen: Iterable[Mapping[str, Any]]) -> None:
	"""Keep what is being described to an app; one statement if it is kept already, and was given within a day."""
	by_digest = {schemas.digest_of(one): one for one in seen}
	lately = clock.now() - GIVEN_EVERY
	kept = sql.select_in(DOCTYPE, ["name"], "name", sorted(by_digest), "creation > %s", [lately])
	new = sorted(by_digest.keys() - {row[0] for row in kept})
	if new:
		rows = [_row(digest, by_digest[digest]) for digest in new]
		sql.insert_or(DOCTYPE, [*STANDARD, "entity_type", "shape"], rows, "creation = VALUES(creation)")


def _row(digest: str, described: Mapping[str, Any]) -> tuple[Any, ...]:
	now, by = clock.now(), frappe.session.user
	shape = json.dumps(type_shapes.of_type(described), ensure_ascii=False)
	return (digest, now, now, by, by, described["type"], shape)


def _shapes(digests: Iterable[str]) -> dict[str, Shape]:
	"""{digest: Shape} of those that are kept."""
	rows = sql.select_in(DOCTYPE, ["name", "shape"], "name", sorted(set(digests)))
	return {name: json.loads(shape) for name, shape in rows}
