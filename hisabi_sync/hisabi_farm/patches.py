"""Patches of playbooks: operations that add, change or remove rules. Pure but for the words of errors."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hisabi_sync.engine.model import ids, merge
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.hisabi_farm.entities import RULE_NAMES

ADD, CHANGE, REMOVE = OPERATIONS = ("add", "change", "remove")
MOST_OPERATIONS, MOST_RULES = 200, 500
SHOWN = 80  # characters of a value in a summary


class Operation(NamedTuple):
	"""One step of a patch: ADD, CHANGE or REMOVE of a rule, with {column: value} as the engine has them."""

	kind: str
	rule_id: str
	values: dict[str, Any]


def read(operations: object, columns: Iterable[Field]) -> list[Operation]:
	"""Operations from the wire; `columns` are the engine's fields of a rule.

	Raises ItemError patch_invalid, or what a value is refused with.
	"""
	if not isinstance(operations, list) or not 0 < len(operations) <= MOST_OPERATIONS:
		raise ItemError("patch_invalid", ["operations"])
	columns_by_name = {column.name: column for column in columns}
	return [_read(position, operation, columns_by_name) for position, operation in enumerate(operations)]


def _read(position: int, sent: Any, columns: Mapping[str, Field]) -> Operation:
	place = f"operations[{position}]"
	if not isinstance(sent, dict):
		raise ItemError("patch_invalid", [place])
	rule = {} if sent.get("rule") is None else sent["rule"]
	if sent.get("op") not in OPERATIONS or not isinstance(rule, dict):
		raise ItemError("patch_invalid", [f"{place}.op" if isinstance(rule, dict) else f"{place}.rule"])
	unknown = [name for name in sent if name not in ("op", "ruleId", "rule")]
	unknown += [f"rule.{name}" for name in rule if name not in RULE_NAMES]
	if unknown:
		raise ItemError("invalid_field", [f"{place}.{name}"[:140] for name in unknown[:50]])
	rule_id: Any = sent.get("ruleId", rule.get("ruleId"))
	if not ids.is_client_id(rule_id) or rule.get("ruleId", rule_id) != rule_id:
		raise ItemError("patch_invalid", [f"{place}.ruleId"])
	values = {RULE_NAMES[name]: value for name, value in rule.items() if name != "ruleId"}
	return Operation(sent["op"], rule_id, {name: columns[name].parse(v) for name, v in values.items()})


def applied(
	rows: Iterable[dict[str, Any]],
	operations: Iterable[Operation],
	columns: Iterable[Field],
	strict: bool = True,
) -> list[dict[str, Any]]:
	"""The rules after the operations. Unless `strict`, operations that do not fit are applied as far as possible, to show what was meant.

	Raises ItemError patch_invalid naming the operations that do not fit.
	"""
	rules, wrong = {row["rule_id"]: row for row in rows}, []
	for position, (operation, rule_id, values) in enumerate(operations):
		if (operation == ADD) == (rule_id in rules):
			wrong.append(f"operations[{position}].ruleId")
		if operation == REMOVE:
			rules.pop(rule_id, None)
		else:
			present = rules.get(rule_id) or {**_empty(columns), "rule_id": rule_id}
			rules[rule_id] = {**present, **values}
	if strict and (wrong or len(rules) > MOST_RULES):
		raise ItemError("patch_invalid", wrong or ["operations"])
	return list(rules.values())


def _empty(columns: Iterable[Field]) -> dict[str, Any]:
	"""A new rule: enabled, and otherwise empty."""
	return {c.name: c.default if c.default is not None else c.kind.empty for c in columns}


def difference(before: Iterable[dict[str, Any]], after: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
	"""[{operation, rule_id, title, changes: {column: [before, after]}}] between two lists of rules."""
	old, new = ({row["rule_id"]: row for row in rows} for rows in (before, after))
	steps = [_step(REMOVE, row, {}) for key, row in old.items() if key not in new]
	for key, row in new.items():
		step = _step(CHANGE if key in old else ADD, old.get(key, {}), row)
		if step["changes"]:
			steps.append(step)
	return steps


def _step(operation: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
	names = [name for name in RULE_NAMES.values() if name != "rule_id"]
	pairs = {name: [old.get(name), new.get(name)] for name in names}
	shown = new or old
	return {
		"operation": operation,
		"rule_id": shown["rule_id"],
		"title": shown.get("title") or shown["rule_id"],
		"changes": {name: pair for name, pair in pairs.items() if not _equal(*pair)},
	}


def _equal(old: Any, new: Any) -> bool:
	return merge.same(old, new) or (old in (None, "", 0) and new in (None, ""))


def summary(step: Mapping[str, Any], labels: Mapping[str, str]) -> str:
	"""One line for people: `Dose: 2 → 3; Advice: …`."""
	parts = [f"{labels.get(name, name)}: {_shown(pair, step)}" for name, pair in step["changes"].items()]
	return "; ".join(parts)


def _shown(pair: Iterable[Any], step: Mapping[str, Any]) -> str:
	old, new = (str(value)[:SHOWN] if value not in (None, "") else "–" for value in pair)
	return {ADD: new, REMOVE: old}.get(step["operation"], f"{old} → {new}")


def on_wire(row: Mapping[str, Any]) -> dict[str, Any]:
	"""A rule of the database or the engine as devices know it."""
	return {name: row.get(column) for name, column in RULE_NAMES.items()}
