"""Members of a wallet: who may do what. The same rules hold for calls, pushes, REST and the Desk."""

from dataclasses import dataclass
from typing import NamedTuple

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import push_context
from hisabi_sync.engine.model import ids

DOCTYPE, WALLET, SPACE_TYPE = "Hisabi Wallet Member", "Hisabi Wallet", "wallet"
ROLES = ("viewer", "member", "admin", "owner")  # by rank
PENDING, ACTIVE, REMOVED = "pending", "active", "removed"


@dataclass(frozen=True, slots=True)
class Rights:
	"""`manages`: roles whose members they invite, change and remove, and which they may give. `may`: what else."""

	manages: frozenset = frozenset()
	may: frozenset = frozenset()


RIGHTS = {
	"owner": Rights(frozenset(ROLES), frozenset(("write", "edit_wallet", "delete_wallet"))),
	"admin": Rights(frozenset(("admin", "member", "viewer")), frozenset(("write", "edit_wallet"))),
	"member": Rights(frozenset(), frozenset(("write",))),
	"viewer": Rights(),
	None: Rights(),
}
# What a manager may make of a membership. Only its own user makes one active, with an invite code.
STATUS_CHANGES = {(None, PENDING), (ACTIVE, REMOVED), (PENDING, REMOVED), (REMOVED, PENDING)}
# May do everything in the Desk but leave a wallet without an owner. In a push, a role in the wallet is all that counts.
EXEMPT_ROLE = "System Manager"


class State(NamedTuple):
	"""What a membership is at one time; both are None before there is one."""

	role: str | None
	status: str | None


NEW = State(None, None)


class LastOwner(frappe.PermissionError):
	"""The change would leave a wallet without an active owner."""


def may_change(actor_role: str | None, before: State, after: State, own: bool) -> bool:
	"""Whether somebody with a role may turn one State into another. `own` says that it is their own membership."""
	manages = RIGHTS[actor_role].manages
	if own and before.status == ACTIVE and after == State(before.role, REMOVED):
		return True
	if own and before == NEW:
		return after == State(actor_role, ACTIVE)  # their own words for the membership that they have
	if own and ROLES.index(after.role) > ROLES.index(before.role):
		return False
	statuses = (before.status, after.status)
	same = before.status == after.status
	return (same or statuses in STATUS_CHANGES) and {before.role or after.role, after.role} <= manages


def active_role(wallet_id: str, user: str) -> str | None:
	"""The role of an active member, or None."""
	name = ids.member(ids.space(SPACE_TYPE, wallet_id), user)
	row = frappe.db.get_value("Sync Space Member", name, ["role", "status"])
	return row[0] if row and row[1] == ACTIVE else None


def is_exempt() -> bool:
	"""Whether the acting user may make any change of members: a System Manager outside of a push."""
	return push_context.caller() is None and EXEMPT_ROLE in frappe.get_roles()


def refuse() -> None:
	"""Raise frappe.PermissionError."""
	frappe.throw(_("Your role does not allow this"), frappe.PermissionError)


def check(doc: Document) -> None:
	"""Raise frappe.PermissionError unless the acting user may make this change of a member's document."""
	earlier = frappe.db.get_value(DOCTYPE, doc.name, ["role", "status"], for_update=True)
	_check(doc, State(*earlier) if earlier and not doc.is_new() else NEW, State(doc.role, doc.status))


def check_removal(doc: Document) -> None:
	"""The same for deleting it."""
	before = State(doc.role, doc.status)
	_check(doc, before, State(doc.role, REMOVED))


def _check(doc: Document, before: State, after: State) -> None:
	actor = frappe.session.user
	if not (doc.flags.trusted or is_exempt()):
		if not may_change(active_role(doc.wallet_id, actor), before, after, doc.user == actor):
			refuse()
	if before == State("owner", ACTIVE) and after != before:
		_keep_an_owner(doc.wallet_id, doc.user)


def _keep_an_owner(wallet_id: str, leaving: str) -> None:
	"""Refuse to remove the last owner. Locks the owners, so that two of them cannot leave at the same time."""
	if leaving in owners(wallet_id, "FOR UPDATE") and len(owners(wallet_id)) == 1:
		raise LastOwner(_("A wallet keeps at least one owner"))


def owners(wallet_id: str, lock: str = "LOCK IN SHARE MODE") -> list[str]:
	"""Users who are active owners now, not as in this transaction's snapshot; the longest member first."""
	rows = frappe.db.sql(
		f"""SELECT user FROM `tabSync Space Member` WHERE name LIKE %s AND role = 'owner' AND status = 'active'
		ORDER BY creation, name {lock}""",  # noqa: S608
		(f"{ids.space(SPACE_TYPE, wallet_id)}-%",),
	)
	return [row[0] for row in rows]


def document_of(wallet_id: str, user: str, lock: bool = False) -> Document | None:
	"""The document of a user's membership, deleted ones left out, or None."""
	filters = {"wallet_id": wallet_id, "user": user, "is_deleted": 0}
	name = frappe.db.get_value(DOCTYPE, filters, order_by="creation")
	return frappe.get_doc(DOCTYPE, name, for_update=lock) if name else None


def automatic_id(wallet_id: str, user: str) -> str:
	"""The client id of the membership that the server makes for the creator of a wallet."""
	return f"member-{ids.digest(wallet_id, user)}"


def keep_single(doc: Document) -> None:
	"""One document for a user in a wallet. What a device sends for its own user takes the automatic one's place."""
	other = document_of(doc.wallet_id, doc.user)
	if other is None or other.name == doc.name:
		return
	if other.client_id != automatic_id(doc.wallet_id, doc.user) or doc.user != frappe.session.user:
		frappe.throw(_("This user has a membership already"), frappe.UniqueValidationError)
	frappe.delete_doc(DOCTYPE, other.name, force=True, ignore_permissions=True, ignore_on_trash=True)


def ensure(wallet_id: str, user: str, role: str, status: str = ACTIVE) -> Document:
	"""Make a user a member with a role, or change either, without asking who does it; returns the document."""
	doc = document_of(wallet_id, user, lock=True) or _new(wallet_id, user)
	return _save(doc, role, status)


def _new(wallet_id: str, user: str) -> Document:
	client_id = automatic_id(wallet_id, user)
	if frappe.db.exists("Sync Record", ids.record(ids.space(SPACE_TYPE, wallet_id), DOCTYPE, client_id)):
		client_id = f"{client_id}-{ids.new()[-8:]}"
	return frappe.get_doc(
		{
			"doctype": DOCTYPE,
			"client_id": client_id,
			"wallet_id": wallet_id,
			"wallet": wallet_id,
			"user": user,
		}
	)


def _save(doc: Document, role: str | None, status: str | None) -> Document:
	doc.update({"role": role, "status": status})
	doc.flags.ignore_permissions = doc.flags.trusted = True
	doc.save()
	return doc


def change(
	wallet_id: str, actor_role: str | None, user: str, role: str | None = None, status: str | None = None
) -> Document:
	"""Change a membership in the name of the acting user; returns the document.

	Raises frappe.PermissionError (LastOwner too) and frappe.DoesNotExistError for somebody who is no member.
	"""
	doc = document_of(wallet_id, user, lock=True)
	if doc is None or (role and doc.status == REMOVED):
		raise frappe.DoesNotExistError
	before = State(doc.role, doc.status)
	after = State(role or doc.role, status or doc.status)
	if not may_change(actor_role, before, after, doc.user == frappe.session.user):
		refuse()
	return _save(doc, *after)


def follow_owner(wallet_id: str) -> None:
	"""When the user that a wallet names as its owner is none any more, it names another owner."""
	wallet = frappe.get_doc(WALLET, wallet_id)
	active = owners(wallet_id)
	if active and wallet.owner_user not in active:
		wallet.owner_user = active[0]
		wallet.flags.ignore_permissions = wallet.flags.trusted = True
		wallet.save()
