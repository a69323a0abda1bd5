"""What another rule for a field would have decided about past conflicts.

A conflict keeps enough of its change and record to be decided again by `decide`. Fields that were not in conflict are not kept,
so a policy that looks at one of those finds it empty.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hisabi_sync.engine.judge.decide import Decision, decide
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model import merge as merging
from hisabi_sync.engine.model.change import UPDATE, Change, Past, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.store import stored_json

ASK, SERVER, CLIENT, OTHER = "ask", "server", "client", "other"
# Choice of a person -> what the entity type's field policies say.
RULES = {SERVER: "server_wins", CLIENT: "client_wins", ASK: None}
COLUMNS = (
	"name status kind entity_type record client_id document_name device user creation fields base_version "
	"server_version client_time server_time base_values server_values client_values proposed resolution "
	"resolved_values"
).split()


def field_policies(entity: EntityType, field: str, rule: str) -> dict[str, Any]:
	"""The entity type's field policies with this rule for the field."""
	others = {name: policy for name, policy in entity.field_policies.items() if name != field}
	return {**others, field: RULES[rule]} if RULES[rule] else others


def _with_rule(entity: EntityType, field: str, rule: str) -> EntityType:
	"""The entity type as it would be if one field had this policy."""
	return replace(entity, field_policies=field_policies(entity, field, rule))


def rule_of(entity: EntityType, field: str) -> str:
	"""The present rule for the field: ask, server or client."""
	policy = entity.field_policies.get(field)
	return next((rule for rule, name in RULES.items() if name == policy), ASK)


def rebuild(row: Mapping[str, Any], entity: EntityType) -> tuple[Change, Stored]:
	"""(Change, Stored) as they were when the conflict arose. `row` has COLUMNS."""
	base, server, client = _sides(row, entity)
	version = row["base_version"] or None
	change = Change(
		0, None, entity.name, ids.decode(row["client_id"]), UPDATE, {}, version, row["client_time"]
	)
	change.values = client
	moved = [n for n in client if n not in base or not merging.same(base[n], server.get(n))]
	return change, _stored(row, server, {n: base[n] for n in moved if n in base}, moved)


def _sides(row: Mapping[str, Any], entity: EntityType) -> Iterator[dict[str, Any]]:
	columns = ("base_values", "server_values", "client_values")
	return (stored_json.decode_values(row[column], entity.fields) for column in columns)


def _stored(
	row: Mapping[str, Any], server: dict[str, Any], before: dict[str, Any], moved: Iterable[str]
) -> Stored:
	"""The record; its fields in `moved` got their values in its last version."""
	now, then = row["server_version"], row["base_version"] or 1
	past = Past(now, before, dict.fromkeys(before, then), row["server_time"])
	return Stored(
		name=row["record"],
		entity_type=row["entity_type"],
		client_id=ids.decode(row["client_id"]),
		document_name=row["document_name"],
		doc_version=now,
		content_version=now,
		field_versions={**dict.fromkeys(server, 1), **dict.fromkeys(moved, now)},
		modified=row["server_time"],
		values=server,
		history=[past],
	)


def judge(row: Mapping[str, Any], entity: EntityType) -> Decision | None:
	"""The Decision under a given entity type, or None if that refuses the change."""
	change, stored = rebuild(row, entity)
	try:
		return decide(change, stored, entity)
	except ItemError:
		return None


def winner(decision: Decision | None, field: str) -> str:
	"""Whose value the decision takes for a field; `ask` leaves it to a person."""
	if decision is None:
		return SERVER
	if decision.kind == "conflict" and field in decision.fields:
		return ASK
	return CLIENT if field in decision.values else SERVER


def actual(row: Mapping[str, Any], field: str, entity: EntityType) -> str:
	"""Whose value the field got in the end: server, client, other, or ask if it is still open."""
	if row["status"] == "Resolved":
		return _resolved(row, field, entity)
	if row["status"] == "Decided":
		return json.loads(row["proposed"] or "{}").get(field, SERVER)
	return {"Dismissed": SERVER, "Superseded": OTHER}.get(row["status"], ASK)


def _resolved(row: Mapping[str, Any], field: str, entity: EntityType) -> str:
	resolved = stored_json.decode_values(row["resolved_values"], entity.fields)
	_base, server, client = _sides(row, entity)
	for side, values in ((CLIENT, client), (SERVER, server)):
		if field in values and merging.same(resolved.get(field), values[field]):
			return side
	return OTHER


def compare(
	rows: Iterable[Mapping[str, Any]], entity: EntityType, field: str, rule: str
) -> list[dict[str, Any]]:
	"""[{row, was, would, settles}] of the conflicts; `settles` says that no person would have been asked."""
	changed, found = _with_rule(entity, field, rule), []
	for row in rows:
		decision = judge(row, changed)
		settles = decision is None or decision.kind != "conflict"
		was, would = actual(row, field, entity), winner(decision, field)
		found.append({"row": row, "was": was, "would": would, "settles": settles})
	return found


def summary(found: Sequence[Mapping[str, Any]]) -> dict[str, int]:
	"""Counts of `compare`. Of the conflicts that people settled, `same` would have ended alike, `different` not."""
	alike = Counter(
		part["was"] == part["would"] for part in found if _by_person(part) and part["would"] != ASK
	)
	return {
		"total": len(found),
		"settled": sum(part["settles"] for part in found),
		"still_asked": sum(not part["settles"] for part in found),
		"by_people": sum(_by_person(part) for part in found),
		"same": alike[True],
		"different": alike[False],
	}


def _by_person(part: Mapping[str, Any]) -> bool:
	return part["row"]["status"] == "Resolved"
