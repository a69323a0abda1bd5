"""The contracts of all apps on the site, checked once when they are loaded, and the entity types that they declare.

A declaration is a dict with the fields of Sync Entity, where `fields` is a list of dicts of Sync Entity Field. Each
migration sets names and fields as they are declared; it leaves what people may tune in the Desk (TUNABLE) as they set it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.model.contract import Budget, Contract, Derivation, Hold, Preparation, Rule

HOOK = "sync_contracts"
# A space type may have one of each: with two, their order would decide the result.
ONCE = ("derive", "hold")

TUNABLE = (
	"enabled",
	"policy",
	"policy_parameters",
	"field_policies",
	"max_payload_kib",
	"write_mode",
	"write_role",
)
DECLARED_KEY = ("entity_type", "document_type")
DECLARED_COLUMNS = ("fieldname", "access", "aliases", "required")
JSON_FIELDS = ("policy_parameters", "field_policies", "one_of")


def contracts() -> tuple[Contract, ...]:
	"""The contracts that apps name, in the order of the apps. Raises TypeError or ValueError for an invalid one."""
	return _load(tuple(frappe.get_hooks(HOOK)))


@cache
def _load(paths: tuple[str, ...]) -> tuple[Contract, ...]:
	found = tuple(_attribute(path) for path in paths)
	_refuse_twice("name", (contract.name for contract in found if contract.name))
	for part in ONCE:
		having = (contract.space_type for contract in found if getattr(contract, part))
		_refuse_twice(f"{part} of the space type", having)
	for part in ("rules", "prepare", "bulk_actions"):
		_refuse_twice(part, (key for contract in found for key in getattr(contract, part)))
	_refuse_twice("budget", (budget.name for budget in _budgets(found)))
	return found


def _budgets(found: Iterable[Contract]) -> list[Budget]:
	"""Each once: contracts may share one, such as that of uploads."""
	return list(dict.fromkeys(budget for contract in found for budget in contract.budgets))


def _attribute(path: str) -> Contract:
	found = frappe.get_attr(path)
	if not isinstance(found, Contract):
		raise TypeError(f"{HOOK}: {path} is no Contract")
	return found


def _refuse_twice(what: str, keys: Iterable[str]) -> None:
	twice = [key for key, times in Counter(keys).items() if times > 1]
	if twice:
		raise ValueError(f"{HOOK}: two contracts bring the {what} {', '.join(twice)}")


def named(name: str) -> Contract | None:
	"""The contract with a name, as Sync Batch keeps it, or None."""
	return next((contract for contract in contracts() if contract.name == name), None)


def space_types() -> list[str]:
	"""Kinds of space that contracts bring."""
	return list(dict.fromkeys(c.space_type for c in contracts() if c.name and c.space_type))


def takes_rules(space_type: str) -> bool:
	"""Whether members of spaces of a type may follow rules: not where a contract that does not say so serves it."""
	return all(
		contract.takes_rules
		for contract in contracts()
		if contract.name and contract.space_type == space_type
	)


def of_space(space_type: str) -> Iterator[Contract]:
	"""The contract of a kind of space, and those of other apps that add to it."""
	return (contract for contract in contracts() if contract.space_type == space_type)


def deriver(space_type: str) -> Derivation | None:
	"""The function that derives values in spaces of a type, None if nothing is derived."""
	return _first(space_type, "derive")


def holder(space_type: str) -> Hold | None:
	"""The function that locks what derived values need, before anything else is locked."""
	return _first(space_type, "hold")


def is_followed(space_type: str, doctype: str) -> bool:
	"""Whether values follow from documents of a DocType in the same transaction, so that their changes cannot be numbered later."""
	return any(
		(contract.derive or contract.hold)
		and (contract.derives_from is None or doctype in contract.derives_from)
		for contract in of_space(space_type)
	)


def _first(space_type: str, part: str) -> Any:
	return next((found for contract in of_space(space_type) if (found := getattr(contract, part))), None)


def client_only(space_type: str) -> frozenset[str]:
	"""Names in payloads that only clients of this kind of space need."""
	return frozenset().union(*(contract.client_only for contract in of_space(space_type)))


def rule(doctype: str) -> Rule | None:
	"""The rule of a DocType, which checks and completes changes."""
	return _by_key("rules", doctype)


def preparation(doctype: str) -> Preparation | None:
	"""What looks up, for a whole batch, what the rule of a DocType needs."""
	return _by_key("prepare", doctype)


def bulk_action(name: str) -> Any:
	"""The function of an action on many documents of the Desk, by its name."""
	return _by_key("bulk_actions", name)


def budgets() -> list[Budget]:
	"""What users may hold, by the contracts."""
	return _budgets(contracts())


def media_columns(doctype: str) -> list[tuple[str, str, str]]:
	"""(table, column with the key, column with the document's name) of places other than file fields that name uploads."""
	return [place for contract in contracts() for place in contract.media_columns.get(doctype, ())]


def _by_key(part: str, key: str) -> Any:
	return next(
		(getattr(contract, part)[key] for contract in contracts() if key in getattr(contract, part)), None
	)


def save_declarations() -> None:
	"""Create or update the Sync Entity of every declaration whose DocType is installed.

	The caller then lets every process compile its entity types again (`entity_types.forget`).
	"""
	for contract in contracts():
		for declaration in contract.declare():
			if frappe.db.exists("DocType", declaration["document_type"]):
				_save_declaration(declaration)


def _save_declaration(declaration: Mapping[str, Any]) -> None:
	values = {key: json.dumps(v) if key in JSON_FIELDS else v for key, v in declaration.items()}
	name = frappe.db.exists("Sync Entity", {key: declaration[key] for key in DECLARED_KEY})
	if name:
		doc = frappe.get_doc("Sync Entity", name)
		values = {key: value for key, value in values.items() if key not in TUNABLE}
		if _is_as_declared(doc, values):
			return
		doc.update(values)
	else:
		doc = frappe.get_doc({"doctype": "Sync Entity", "is_standard": 1, **values})
	doc.flags.ignore_permissions = doc.flags.from_declaration = True
	doc.save()


def _is_as_declared(doc: Document, values: Mapping[str, Any]) -> bool:
	fields = [{key: row.get(key) or "" for key in DECLARED_COLUMNS} for row in doc.fields]
	declared = [{key: row.get(key) or "" for key in DECLARED_COLUMNS} for row in values["fields"]]
	return fields == declared and all(doc.get(k) == v for k, v in values.items() if k != "fields")
