"""Wallets of a user."""

import frappe
from frappe import _

from hisabi_sync.engine import ids


def default_wallet(user):
	"""The wallet that the user came into first; one is made when there is none."""
	held = frappe.db.sql(
		"""SELECT s.space_key FROM `tabSync Space Member` m JOIN `tabSync Space` s ON s.name = m.space
		WHERE m.user = %s AND m.status = 'active' AND s.space_type = 'wallet' ORDER BY m.creation, s.name LIMIT 1""",
		(user,),
	)
	return held[0][0] if held else create(user, f"wallet-{ids.new()}", _("My wallet"))


def create(user, client_id, wallet_name):
	"""A new wallet that the user owns; returns its id."""
	doc = frappe.get_doc(
		{
			"doctype": "Hisabi Wallet",
			"client_id": client_id,
			"wallet_name": wallet_name,
			"status": "active",
			"owner_user": user,
		}
	)
	doc.flags.ignore_permissions = True
	return doc.insert().name


def ensure_member(wallet_id, user, role, status="active"):
	"""Make a user a member of a wallet with a role, or change either; the document follows the usual path."""
	client_id = f"member-{ids.digest(wallet_id, user)}"
	name = frappe.db.get_value("Hisabi Wallet Member", {"wallet_id": wallet_id, "user": user})
	doc = frappe.get_doc("Hisabi Wallet Member", name) if name else frappe.new_doc("Hisabi Wallet Member")
	if not name:
		doc.update({"client_id": client_id, "wallet_id": wallet_id, "wallet": wallet_id, "user": user})
	doc.update({"role": role, "status": status})
	doc.flags.ignore_permissions = True
	doc.save()
	return doc
