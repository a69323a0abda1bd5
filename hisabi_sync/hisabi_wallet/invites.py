"""Invites into a wallet: codes that work once, for some time, and only while the person who made them may invite."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import frappe
from frappe.model.document import Document

from hisabi_sync.engine.identity import budgets
from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.secrets_hash import keyed_hash
from hisabi_sync.hisabi_wallet import members

DOCTYPE = "Hisabi Wallet Invite"
OPEN, USED, REVOKED, EXPIRED = "open", "used", "revoked", "expired"
DEFAULT_HOURS, MAX_HOURS, MAX_LISTED = 72, 24 * 30, 200
# Crockford's alphabet: no letter that is taken for a digit. 16 letters are 80 bits.
ALPHABET, LENGTH, GROUP = "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 16, 4
MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
COLUMNS = "name wallet role status expires_at owner creation used_by used_at".split()


class Joined(NamedTuple):
	"""What an accepted code gave. `was_member` says that the user was one before, with this role."""

	wallet_id: str
	role: str
	was_member: bool


def create(wallet_id: str, role: str, hours: float) -> tuple[Document, str]:
	"""A new invite of the acting user; returns (document, code). The code is not stored and not shown again."""
	budgets.require("invites", frappe.session.user)
	code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
	doc = frappe.get_doc(
		{
			"doctype": DOCTYPE,
			"wallet": wallet_id,
			"role": role,
			"status": OPEN,
			"expires_at": clock.now() + timedelta(hours=hours),
			"code_hash": _hash_code(code),
		}
	)
	doc.insert(ignore_permissions=True)
	return doc, "-".join(code[i : i + GROUP] for i in range(0, LENGTH, GROUP))


def count_open(user: str) -> int:
	"""Hook: invites of a user that may still be accepted."""
	return frappe.db.count(DOCTYPE, {"owner": user, "status": OPEN, "expires_at": [">", clock.now()]})


def _hash_code(code: str) -> str:
	"""What the database keeps of an invite's code; letters that people misread count as the digits they look like."""
	return keyed_hash("invite_code", code.upper().translate(MISREAD)).hex()


def accept(code: str, user: str) -> Joined | None:
	"""Make the user a member by a code; None if the code does not work.

	The same user may repeat it. A member keeps their role, and the code stays as it is.
	"""
	found = _rows("code_hash = %s", (_hash_code(code),), "FOR UPDATE")
	if not found or not _is_good(found[0], user):
		return None
	invite = found[0]
	role = members.active_role(invite["wallet"], user)
	if role:
		return Joined(invite["wallet"], role, True)
	if invite["status"] != OPEN:
		return None
	members.ensure(invite["wallet"], user, invite["role"])
	used = {"status": USED, "used_by": user, "used_at": clock.now()}
	frappe.db.set_value(DOCTYPE, invite["name"], used)
	return Joined(invite["wallet"], invite["role"], False)


def _is_good(invite: Mapping[str, Any], user: str) -> bool:
	"""Open and in time, or used by this very user; and its giver is still one who may give it."""
	if invite["status"] == USED:
		return invite["used_by"] == user
	giver = members.RIGHTS[members.active_role(invite["wallet"], invite["owner"])]
	deleted = frappe.db.get_value(members.WALLET, invite["wallet"], "is_deleted")
	return state(invite) == OPEN and invite["role"] in giver.manages and not deleted


def state(invite: Mapping[str, Any]) -> str:
	"""The status, where an open invite whose time is over is expired."""
	expired = invite["status"] == OPEN and invite["expires_at"] < clock.now()
	return EXPIRED if expired else invite["status"]


def listing(wallet_id: str) -> list[dict[str, Any]]:
	"""The newest invites of a wallet as dicts with COLUMNS."""
	return _rows("wallet = %s", (wallet_id,), f"ORDER BY creation DESC, name LIMIT {MAX_LISTED}")


def find(wallet_id: str, name: str) -> dict[str, Any] | None:
	"""An invite of this wallet by its name, locked, or None."""
	found = _rows("name = %s AND wallet = %s", (name, wallet_id), "FOR UPDATE")
	return found[0] if found else None


def revoke(invite: Mapping[str, Any]) -> str:
	"""Close an open invite; returns its status after that."""
	if invite["status"] != OPEN:
		return invite["status"]
	frappe.db.set_value(DOCTYPE, invite["name"], "status", REVOKED)
	return REVOKED


def _rows(where: str, values: tuple[Any, ...], tail: str) -> list[dict[str, Any]]:
	rows = frappe.db.sql(
		f"SELECT {', '.join(COLUMNS)} FROM `tab{DOCTYPE}` WHERE {where} {tail}",  # noqa: S608
		values,
	)
	return [dict(zip(COLUMNS, row, strict=True)) for row in rows]
