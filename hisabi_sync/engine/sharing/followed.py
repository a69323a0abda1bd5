"""Hooks: documents that decide who is a member, and whom they concern. Memberships follow in the same transaction.

A DocType that no rule names costs one look into a dict. If a document concerns very many users, a worker goes over them.
After the commit the users are looked at once more: of two transactions at the same time, neither sees what the other removes.
"""

from collections.abc import Iterable
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine.database import transaction
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import errors, ids
from hisabi_sync.engine.model.paths import Path
from hisabi_sync.engine.model.space_type import NAMED, PERMISSION, ROLE, Rule, SpaceType
from hisabi_sync.engine.sharing import memberships, rule_query

ALWAYS = ("User", "User Permission", "Role")  # DocTypes of which every save is looked at
AT_ONCE = 200  # users; more are left to a worker
SEEN = "hisabi_sync_members"  # {space type: users} of the transaction


def on_change(doc: Document, method: str | None = None) -> None:
	"""Hook: a document was inserted, saved, submitted, cancelled, or set with `db_set`."""
	kinds = registry().followed.get(doc.doctype)
	if not kinds or doc.flags.in_delete:
		return
	for kind in kinds:
		if _matters(doc, kind):
			_follow_document(doc, kind)
	doc.flags.hisabi_sync_members = doc.get_doc_before_save()


def after_delete(doc: Document, method: str | None = None) -> None:
	"""Hook: a document was deleted."""
	for kind in registry().followed.get(doc.doctype, ()):
		_follow_document(doc, kind)


def after_rename(
	doc: Document, method: str | None = None, old: Any = None, new: Any = None, merge: bool = False
) -> None:
	"""Hook: a document was renamed or merged; Frappe changes what names it by SQL."""
	for kind in registry().followed.get(doc.doctype, ()) if old else ():
		names = [str(old), str(new)]
		_follow(kind, {*_members(kind, names), *_named_by(kind, doc.doctype, str(new)), *_own(doc, new)})


def _follow_document(doc: Document, kind: SpaceType) -> None:
	if doc.doctype != "Role":
		_follow(kind, _concerned(doc, kind))
	elif any(rule.role == doc.name for rule in kind.rules):
		memberships.soon(kind.name)  # Frappe takes a role that is switched off from all its users, by SQL


def _follow(kind: SpaceType, users: Iterable[str]) -> None:
	users = set(filter(None, users))
	if len(users) > AT_ONCE:
		memberships.soon(kind.name)
		said = _("More than {0} people are concerned: a worker brings their memberships in line")
		frappe.msgprint(said.format(AT_ONCE), alert=True)
	elif users:
		memberships.follow(kind, users)
		_look_again(kind, users)


def _look_again(kind: SpaceType, users: set[str]) -> None:
	seen = transaction.state(SEEN)
	if seen is None:
		seen = transaction.keep(SEEN, _behind_all, line="after_commit")
	seen.setdefault(kind.name, set()).update(users)


def _behind_all(seen: transaction.State) -> None:
	"""After all other callbacks of the commit, because a transaction of its own would drop those."""
	frappe.db.after_commit.add(lambda: _follow_again(seen))


def _follow_again(seen: transaction.State) -> None:
	for name, users in seen.items():
		try:
			memberships.follow_apart(name, users)
		except Exception as error:  # what was saved is committed; the daily job tries again
			frappe.db.rollback()
			errors.log_once(f"memberships of {name} could not be looked at again", error)


# --- whether a change matters


def _matters(doc: Document, kind: SpaceType) -> bool:
	"""Whether one of the fields that decide may have changed. A `db_set` after a save does not say from what."""
	before = doc.get_doc_before_save()
	if before is None or before is doc.flags.hisabi_sync_members or doc.doctype in ALWAYS:
		return True
	return any(doc.get(name) != before.get(name) for name in _fields(doc, kind))


def _fields(doc: Document, kind: SpaceType) -> set[str]:
	fields = {"docstatus"}.union(*(rule.fields_of(doc.doctype) for rule in kind.rules))
	in_tree = kind.is_tree and doc.doctype == kind.key_doctype or any(_is_tree_of(r, doc) for r in kind.rules)
	return fields | {_parent_field(doc)} if in_tree else fields


def _is_tree_of(rule: Rule, doc: Document) -> bool:
	return rule.source_is_tree and rule.source == doc.doctype


def _parent_field(doc: Document) -> str:
	return getattr(doc, "nsm_parent_field", None) or f"parent_{frappe.scrub(doc.doctype)}"


# --- whom a document concerns


def _concerned(doc: Document, kind: SpaceType) -> set[str]:
	"""Users whose memberships the document may have changed: those it names, and those it named before."""
	before = doc.get_doc_before_save()
	found = set(_named_by(kind, doc.doctype, str(doc.name)))
	for one in filter(None, (doc, before)):
		found.update(_own(one, one.name))
		for rule in kind.rules:
			for path in rule.rests_of(doc.doctype) if rule.kind == NAMED else ():
				found.update(at_end(one, path))
	if doc.doctype in _trees(kind):
		found.update(_near(doc, before, kind))
	return found


def _own(doc: Document, name: Any) -> set[str]:
	"""The user that a document is about by itself."""
	if doc.doctype == "User":
		return {str(name)}
	return {doc.user} if doc.doctype == "User Permission" and doc.user else set()


def _named_by(kind: SpaceType, doctype: str, name: str) -> Iterable[str]:
	"""Users whom the rules find through a document now."""
	return {
		user for rule in kind.rules for user in rule_query.named_by(rule, kind, doctype, name, AT_ONCE + 1)
	}


def _trees(kind: SpaceType) -> set[str]:
	"""DocTypes whose documents have spaces, or lie in a tree of User Permissions."""
	return {kind.key_doctype, *(r.source for r in kind.rules if r.kind == PERMISSION)} - {"", "User"}


def _near(doc: Document, before: Document | None, kind: SpaceType) -> set[str]:
	"""Members by rule of the document's space and of the space above it, and all with roles whose spaces are all spaces."""
	holders = [one.get(_parent_field(doc)) for one in (doc, before) if one]
	parents = {str(name) for name in holders if name}
	found = set(_members(kind, [str(doc.name), *parents]))
	for parent in parents:  # two at most
		found.update(_named_by(kind, doc.doctype, parent))
	for rule in kind.rules:
		if rule.kind == ROLE and not rule.key:
			found.update(rule_query.with_role(rule, AT_ONCE + 1))
	return found


def _members(kind: SpaceType, keys: Iterable[str]) -> list[str]:
	return memberships.of_rules([ids.space(kind.name, key) for key in keys], AT_ONCE + 1)


def at_end(doc: Document, path: Path) -> set[str]:
	"""Values at the end of a path from a document as it is in memory; one statement at most."""
	holders: list[Any] = [doc]
	for depth, step in enumerate(path):
		values = [value for holder in holders if (value := holder.get(step.field))]
		if step.is_table:
			holders = [row for rows in values for row in rows]
		elif step.target:
			return rule_query.at_end(step.target, sorted(set(map(str, values))), path[depth + 1 :])
		else:
			return set(map(str, values))
	return set()
