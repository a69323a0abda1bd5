"""Demonstration data of the delta contract: a family with what its document names, and a token for its owner.

Task `task-1` in version 4 as the document's examples meet it, `uuid-123` in version 2, `uuid-789` in version 4.
"""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import frappe
import jwt
from frappe.model.document import Document
from frappe.utils.password import get_decrypted_password

from hisabi_sync.engine.database import retry
from hisabi_sync.engine.model import clock
from hisabi_sync.hisabi_family import families, tokens

FAMILY, TITLE = "demo-family", "Amal's family"
ISSUER, AUDIENCE = "https://accounts.hisabi.example", "hisabi-family"
TOKEN_DAYS = 30
# Task -> what each version of it set.
TASKS = {
	"task-1": (
		{"title": "Task 1", "points": 10},
		{"details": "Before supper"},
		{"title": "Task one"},
		{"title": "Task 1"},
	),
	"uuid-123": ({"title": "Water the plants", "points": 5}, {"category": "garden"}),
	"uuid-456": ({"title": "Call grandmother", "points": 5},),
	"uuid-789": (
		{"title": "Buy bread", "points": 5},
		{"priority": "high"},
		{"title": "Buy bread and milk"},
		{"title": "Buy bread, milk and dates"},
	),
}


def prepare(owner: str, member: str, family: str = FAMILY) -> dict[str, Any]:
	"""Create what is missing; `{"token", "jwt"}`: the owner's token, and what it is signed with."""
	return retry.run(lambda: _prepared(owner, member, family))


def _prepared(owner: str, member: str, family: str) -> dict[str, Any]:
	signed = _settings()
	if not frappe.db.exists(families.DOCTYPE, family):
		_make_family(family, {owner: "owner", member: "member"})
		for client_id, versions in TASKS.items():
			_make_task(family, client_id, versions)
		_make_done(family, member)
		_make_event(family, owner, member)
	frappe.db.commit()
	return {"token": token(owner, family, signed), "jwt": signed}


def _settings() -> dict[str, Any]:
	"""What tokens are signed with on this site; what people have set stays."""
	doc = frappe.get_single(tokens.SETTINGS)
	if not doc.jwt_secret:
		doc.update({"jwt_secret": secrets.token_urlsafe(32), "issuer": ISSUER, "audience": AUDIENCE})
		doc.save(ignore_permissions=True)
	secret = get_decrypted_password(tokens.SETTINGS, tokens.SETTINGS, "jwt_secret")
	named = {"issuer": doc.issuer, "audience": doc.audience}
	return {"algorithm": tokens.SYMMETRIC, "secret": secret, **named}


def token(
	user_id: str, family: str, signed: Mapping[str, Any], days: float = TOKEN_DAYS, **claims: Any
) -> str:
	"""A JWT as the family's own account service would issue it."""
	now = datetime.now(timezone.utc)
	payload = {
		"userId": user_id,
		"familyId": family,
		"iat": now,
		"nbf": now,
		"exp": now + timedelta(days=days),
	}
	named = {"iss": signed["issuer"], "aud": signed["audience"]}
	return jwt.encode({**payload, **named, **claims}, signed["secret"], algorithm=signed["algorithm"])


def _make_family(family: str, members: Mapping[str, str]) -> None:
	rows = [{"user": user, "role": role} for user, role in members.items()]
	doc = frappe.get_doc({"doctype": families.DOCTYPE, "family_id": family, "title": TITLE, "members": rows})
	doc.insert(ignore_permissions=True)


def _make(doctype: str, family: str, client_id: str, **values: Any) -> Document:
	doc = frappe.get_doc({"doctype": doctype, "family": family, "client_id": client_id, **values})
	return doc.insert(ignore_permissions=True)


def _make_task(family: str, client_id: str, versions: Iterable[dict[str, Any]]) -> None:
	first, *later = versions
	task = _make("Family Task", family, client_id, **first)
	for changed in later:
		task.update(changed).save(ignore_permissions=True)


def _make_done(family: str, member: str) -> None:
	"""A task that the member did, with the points and the streak that follow from it."""
	task = _make("Family Task", family, "task-laundry", title="Laundry", points=15, assignees=f'["{member}"]')
	task.update({"status": "done"}).save(ignore_permissions=True)


def _make_event(family: str, *people: str) -> None:
	start = clock.now().replace(hour=18, minute=0, second=0, microsecond=0) + timedelta(days=7)
	names = frappe.as_json(list(people), indent=None)
	values = {"starts_at": start, "ends_at": start + timedelta(hours=3), "attendees": names}
	_make(
		"Family Event", family, "event-dinner", title="Family dinner", location="At grandmother's", **values
	)
