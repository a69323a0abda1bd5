"""Why a document is on a user's devices, or is not: type, path, record, membership, Frappe's rights, what a device has."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.model import ids, joint
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.paths import Way
from hisabi_sync.engine.model.space_type import NAMED, PERMISSION, ROLE, SELF, Rule, SpaceType
from hisabi_sync.engine.sharing import joint_spaces, memberships, rights, spaces, visibility, whereabouts


@dataclass(slots=True)
class Step:
	"""One reason; `ok` is False if it keeps the document away, None if it only tells something."""

	step: str
	ok: bool | None
	text: str
	detail: list[str] = field(default_factory=list)


def why(user: str, device: str | None, doc: Document) -> dict[str, Any]:
	"""{"seen": whether a pull brings the document, "steps": [...]}; a step that fails is the last but for what it tells."""
	steps = list(_steps(user, device, doc))
	seen = all(step.ok is not False for step in steps)
	return {"seen": seen, "steps": [{name: getattr(step, name) for name in Step.__slots__} for step in steps]}


def _steps(user: str, device: str | None, doc: Document) -> Iterator[Step]:
	registry = entity_types.registry()
	entity = registry.by_doctype.get(doc.doctype)
	if entity is None or not entity.enabled:
		yield _no_type(doc.doctype, entity)
		return
	said = _("{0} is synced as {1}, in spaces of the type {2}")
	yield Step("type", True, said.format(_(doc.doctype), entity.wire_name, entity.space_type))
	key = whereabouts.keys_of(entity, [doc.name]).get(str(doc.name))
	space = ids.space(entity.space_type, key) if key else ""
	yield _path(doc, entity, key, space)
	if not key:
		return
	yield _record(doc, entity, space)
	yield _member(user, space, key, registry.space_types.get(entity.space_type))
	yield _rights(user, doc, entity)
	if device:
		yield _device(device, doc, entity, space)


def _no_type(doctype: str, entity: EntityType | None) -> Step:
	broken = [found.reason for found in entity_types.registry().broken.values() if found.doctype == doctype]
	if broken:
		return Step(
			"type", False, _("{0} is synced, but its entity type cannot be used").format(_(doctype)), broken
		)
	if entity:
		return Step("type", False, _("The entity type of {0} is switched off").format(_(doctype)))
	return Step("type", False, _("{0} is not synced: it has no Sync Entity").format(_(doctype)))


def _path(doc: Document, entity: EntityType, key: str | None, space: str) -> Step:
	detail = [_way(doc, way) for way in entity.ways] + _shares(doc, entity)
	if key and joint.is_joint(key):
		parts = frappe.db.get_value("Sync Space", space, "title") or key
		return Step("path", True, _("It lies in the joint space of {0}").format(parts), detail)
	if key:
		return Step("path", True, _("It lies in the space {0}").format(key), detail)
	return Step("path", False, _("It lies in no space: its path leads to no key"), detail)


def _way(doc: Document, way: Way) -> str:
	if way.constant:
		return _("Always {0}").format(way.constant)
	key = whereabouts.along(doc, way)
	path = ".".join(step.field + (f"[{step.target}]" if step.typed_by else "") for step in way.path)
	return _("{0} leads to {1}").format(path, key) if key else _("{0} leads nowhere").format(path)


def _shares(doc: Document, entity: EntityType) -> list[str]:
	"""The spaces that share the document, if its type has shares; and that it meets no condition, if so."""
	if not entity.shares and not entity.condition:
		return []
	parts = whereabouts.parts_of(entity, [doc.name]).get(str(doc.name), frozenset())
	if not parts:
		return [_("It meets no condition under which it would be shared")] if entity.conditions else []
	return [f"{part.key} ({_(part.access)})" for part in sorted(parts)]


def _record(doc: Document, entity: EntityType, space: str) -> Step:
	fields = ["client_id", "doc_version", "sequence", "deleted_at"]
	row = _row(doc, entity, space, fields)
	if row is None or row.deleted_at:
		return Step("record", False, _("It has no record there yet; the next comparison makes one"))
	said = _("Its record has version {0} and position {1}; devices call it {2}")
	return Step("record", True, said.format(row.doc_version, row.sequence, ids.decode(row.client_id)))


def _row(doc: Document, entity: EntityType, space: str, fields: list[str]) -> Any:
	filters = {"document_type": entity.doctype, "document_name": str(doc.name), "space": space}
	return frappe.db.get_value(
		"Sync Record", filters, fields, as_dict=True, order_by="deleted_at IS NULL DESC"
	)


def _member(user: str, space: str, key: str, kind: SpaceType | None) -> Step:
	row = frappe.db.get_value(
		"Sync Space Member", ids.member(space, user), ["role", "status", "rule"], as_dict=True
	)
	detail = [] if joint.is_joint(key) else _rules(user, key, kind)  # a joint space has no rules of its own
	if row and row.status == "active":
		text = _by_parts(user, space, row.role) if row.rule == joint_spaces.RULE else _held(row, kind)
		return Step("member", True, text, detail)
	if row and row.status == "removed" and not row.rule:
		return Step("member", False, _("Somebody removed the user from the space by hand"), detail)
	if row and row.status == "removed":
		return Step("member", False, _("The user left the space: no rule names them any more"), detail)
	return Step("member", False, _("The user is no member of the space"), detail)


def _by_parts(user: str, space: str, role: str) -> str:
	said = _("The user is a member with the role {0}, because they are a member of {1}")
	return said.format(_(role), ", ".join(parts_of(user, [space]).get(space, ())))


def parts_of(user: str, names: Collection[str]) -> dict[str, list[str]]:
	"""{joint space: those of its parts that the user is a member of, in words}; one statement, none without names."""
	if not names:
		return {}
	rows = sql.ask(
		"""SELECT p.parent, COALESCE(s.title, s.space_key), s.status, p.access FROM `tabSync Space Part` p
		JOIN `tabSync Space` s ON s.name = p.part JOIN `tabSync Space Member` m ON m.space = p.part
		WHERE p.parent IN %s AND m.user = %s AND m.status = 'active' ORDER BY p.parent, s.title""",
		(tuple(names), user),
	)
	found: dict[str, list[str]] = {}
	for space, title, status, access in rows:
		found.setdefault(space, []).append(_part(title, status, access))
	return found


def _part(title: str, status: str, access: str) -> str:
	if status != spaces.OPEN:
		return _("{0} (archived, so only to read)").format(title)
	return title if access == joint.WRITE else _("{0} (only to read)").format(title)


def by_parts(names: Sequence[str]) -> str:
	"""Why somebody is in a joint space, or was."""
	return _("As a member of {0}").format(", ".join(names)) if names else _("As a member of its parts")


def _held(row: frappe._dict, kind: SpaceType | None) -> str:
	if not row.rule:
		return _("The user is a member with the role {0}, by hand").format(_(row.role))
	said = _("The user is a member with the role {0}, by this rule: {1}")
	return said.format(_(row.role), rule_of(row, kind))


def _rules(user: str, key: str, kind: SpaceType | None) -> list[str]:
	"""For each rule of the space's type, whether it makes the user a member of the space now."""
	if kind is None or kind.problem:
		return [kind.problem] if kind else []
	found = {rule for _user, own_key, rule in memberships.found(kind, [user]) if own_key == key}
	words = {True: _("{0}: yes"), False: _("{0}: no")}
	return [words[rule.name in found].format(rule_text(rule)) for rule in kind.rules]


def _rights(user: str, doc: Document, entity: EntityType) -> Step:
	if not entity.check_permissions:
		return Step(
			"rights",
			True,
			_("Every member may read it: the entity type does not ask for Frappe's permissions"),
		)
	if visibility.readable(entity, [doc.name], user):
		return Step("rights", True, _("Frappe lets the user read it"))
	if not rights.reads_by_role(entity.doctype, user):
		return Step(
			"rights", False, _("No role of the user gives the right to read {0}").format(_(entity.doctype))
		)
	return Step("rights", False, _("A User Permission, or a condition of an app, hides it from the user"))


def _device(device: str, doc: Document, entity: EntityType, space: str) -> Step:
	row = _row(doc, entity, space, ["sequence"])
	filters = {"device": device, "space": space, "entity_type": ["is", "not set"]}
	reached = frappe.db.get_value("Sync Device Position", filters, "acknowledged")
	if reached is None:
		return Step("device", None, _("The device has not confirmed any position in this space"))
	if row and row.sequence > reached:
		said = _("The device has confirmed position {0}: the latest change comes with its next pull")
		return Step("device", None, said.format(reached))
	return Step(
		"device",
		None,
		_("The device has confirmed position {0}, which includes the latest change").format(reached),
	)


# --- rules in words

SENTENCES: dict[str, Callable[[Rule], str]] = {
	ROLE: lambda rule: (
		_("Users with the role {0}, in the space of {1}").format(_(rule.role), rule.key)
		if rule.key
		else _("Users with the role {0}").format(_(rule.role))
	),
	SELF: lambda rule: _("Each user in their own space"),
	PERMISSION: lambda rule: _("User Permissions on {0}").format(_(rule.source)),
	NAMED: lambda rule: _("{0} names the user in {1}").format(_(rule.source), _path_of(rule)),
}


def _path_of(rule: Rule) -> str:
	return ".".join(step.field for step in rule.user_path)


def rule_text(rule: Rule) -> str:
	"""What a rule says, in the reader's language."""
	return SENTENCES[rule.kind](rule)


def rule_of(row: frappe._dict, kind: SpaceType | None) -> str | None:
	"""The rule that made a membership, in words; None for a membership that was made by hand."""
	found = next((rule for rule in (kind.rules if kind else ()) if rule.name == row.rule), None)
	return rule_text(found) if found else row.rule and _("A rule that is gone")
