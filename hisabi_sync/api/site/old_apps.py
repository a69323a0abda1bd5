"""Apps that were built for an older schema: what they are told, and the names that they still use. Source: docs/old-apps.md.

A version names the digest of each type. What a digest stands for is kept, so that the server can say what has changed since, and
answer under the names that the app has.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

import frappe

from hisabi_sync.api.site import schemas, type_shapes, types
from hisabi_sync.api.site.type_shapes import MINIMUM, Shape
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing.spaces import Held
from hisabi_sync.engine.store.write import STANDARD

DOCTYPE = "Sync Schema"
KEPT = 600  # seconds for which the present version of a user is kept in Redis
GIVEN_EVERY = timedelta(days=1)  # after which it is noted again that a description is still given


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


UP_TO_DATE = OldApp()


class Pair(NamedTuple):
	"""A type as the app has it and as it is now, each None if it is not kept or not there, and {old name: present name} of its fields."""

	old: Shape | None
	now: Shape | None
	aliases: Mapping[str, str]


def described(user: str, held: Held, since: str | None, form: str | None) -> dict[str, Any]:
	"""The answer of the call `schema`; what it describes is kept for later."""
	seen = types.seen_by(user, held)
	remember(seen)
	return schemas.answer(seen, since, form)


def find(version: str | None, user: str, held: Held) -> OldApp:
	"""The OldApp of a version that a call names; UP_TO_DATE without one, or if nothing changed. Raises RequestError client_outdated.

	It commits where the version of today was not known yet: call it before anything is written.
	"""
	before = schemas.read_version(version)
	if not before:
		return UP_TO_DATE
	current = _current(user, held)
	now = schemas.read_version(current)
	if before == now:
		return UP_TO_DATE
	pairs = _pairs(before, now)
	_check_minimum(pairs)
	breaking = [line for name, pair in pairs.items() for line in type_shapes.breaking(name, *pair)]
	return OldApp({"version": current, "breaking": breaking}, _names(pairs))


def _pairs(before: schemas.Digests, now: schemas.Digests) -> dict[str, Pair]:
	"""{type: Pair} of the types of the app that are others today."""
	differing = [name for name, digest in before.items() if digest != now.get(name)]
	shapes = _shapes({known[name] for known in (before, now) for name in differing if name in known})
	return {
		name: Pair(shapes.get(before[name]), shapes.get(now.get(name, "")), _aliases(name))
		for name in differing
	}


def _names(pairs: Mapping[str, Pair]) -> dict[str, dict[str, str]]:
	"""{type: {present name: the name that the app has}} of fields that were renamed."""
	known = {name: pair for name, pair in pairs.items() if pair.old and pair.now}
	return {
		name: type_shapes.renamed(pair.old or {}, pair.now or {}, pair.aliases)
		for name, pair in known.items()
	}


def _check_minimum(pairs: Mapping[str, Pair]) -> None:
	"""Raise RequestError client_outdated if a type asks for newer apps since the app got its schema."""
	for name, (old, now, _) in pairs.items():
		if old and now and old[MINIMUM] < now[MINIMUM]:
			raise RequestError("client_outdated", minimum=now[MINIMUM], entity_type=name)


def _aliases(name: str) -> Mapping[str, str]:
	"""{name that an app may have: the name that apps have today}."""
	entity = entity_types.registry().by_name.get(name)
	return {old: entity.outward(own) for old, own in entity.aliases.items()} if entity else {}


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
