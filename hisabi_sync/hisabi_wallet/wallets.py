"""Wallets of a user."""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine.model import ids, texts
from hisabi_sync.hisabi_wallet import members

COLUMNS = "w.name, w.wallet_name, w.status, m.role, w.doc_version, w.server_modified"
NAMES = ("wallet_id", "wallet_name", "status", "role", "doc_version", "server_modified")


def default_wallet(user: str) -> str:
	"""The wallet that the user came into first; one is made when there is none."""
	own = of_user(user)
	if not own:
		# Two phones that sign in at once get the same wallet: the second waits here and looks again.
		frappe.db.sql("SELECT name FROM `tabUser` WHERE name = %s FOR UPDATE", (user,))
		own = of_user(user, "LOCK IN SHARE MODE")
	return own[0]["wallet_id"] if own else create(user, f"wallet-{ids.new()}", _("My wallet"))


def of_user(user: str, lock: str = "") -> list[dict[str, Any]]:
	"""The wallets in which a user is an active member, as dicts with NAMES, the oldest membership first."""
	rows = frappe.db.sql(
		f"""SELECT {COLUMNS} FROM `tabSync Space Member` m JOIN `tabSync Space` s ON s.name = m.space
		JOIN `tabHisabi Wallet` w ON w.name = s.space_key
		WHERE m.user = %s AND m.status = 'active' AND s.space_type = 'wallet' AND w.is_deleted = 0
		ORDER BY m.creation, s.name {lock}""",  # noqa: S608
		(user,),
	)
	found = (dict(zip(NAMES, row, strict=True)) for row in rows)
	return [{**row, "wallet_name": texts.decode(row["wallet_name"] or "") or None} for row in found]


def count_owned(user: str) -> int:
	"""Hook: wallets that the user owns."""
	return frappe.db.sql(
		"""SELECT COUNT(*) FROM `tabSync Space Member` m JOIN `tabSync Space` s ON s.name = m.space
		WHERE m.user = %s AND m.status = 'active' AND m.role = 'owner' AND s.space_type = 'wallet'
		AND s.status = 'Active'""",
		(user,),
	)[0][0]


def create(user: str, client_id: str, wallet_name: str, device_id: str | None = None) -> str:
	"""A new wallet that the user owns, its name as its column has it; returns its id. Raises frappe.DuplicateEntryError when the id is taken."""
	doc = frappe.get_doc(
		{
			"doctype": members.WALLET,
			"client_id": client_id,
			"wallet_name": wallet_name,
			"status": "active",
			"owner_user": user,
			"created_from_device": device_id,
		}
	)
	doc.flags.ignore_permissions = doc.flags.trusted = True
	return doc.insert().name


def ensure_member(wallet_id: str, user: str, role: str, status: str = "active") -> Document:
	"""Make a user a member of a wallet with a role, or change either; the document follows the usual path."""
	return members.ensure(wallet_id, user, role, status)
