"""Demonstration data of the mobile contract: what its document names, in one tenant.

Form `f-1` in version `v2`, meter `m-123` in version 7, a reviewed submission, and device `device-uuid-123`, which came
from another server with the token that the document's pull names.
"""

from typing import Any

import frappe
from frappe.model.document import Document

from hisabi_sync import tenants
from hisabi_sync.api.protocol import scopes
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_field import tokens

TENANT, TITLE = "default-tenant", "Water board"
DEVICE, OLD_TOKEN = "device-uuid-123", "tok_20251203_123"
READINGS = (12, 18, 25, 31, 38, 44, 50)
FIRST = [{"fieldname": "fieldA", "label": "Condition", "kind": "Text", "required": 1, "maximum": "200"}]
SECOND = [
	{"fieldname": "leaks", "label": "Leaks", "kind": "Whole Number", "minimum": "0", "maximum": "20"},
	{"fieldname": "seal", "label": "Seal number", "kind": "Text", "pattern": "^[A-Z]{2}-[0-9]{4}$"},
	{"fieldname": "access", "label": "Access", "kind": "Choice", "choices": "open\nlocked\nnobody there"},
	{"fieldname": "checked_on", "label": "Checked on", "kind": "Date"},
	{"fieldname": "photo", "label": "Photo", "kind": "Photo"},
	{"fieldname": "parts", "label": "Parts replaced", "kind": "Group", "maximum": "10"},
	{"fieldname": "part", "label": "Part", "kind": "Text", "required": 1, "group": "parts"},
	{"fieldname": "count", "label": "How many", "kind": "Whole Number", "minimum": "1", "group": "parts"},
]


def prepare(user: str, tenant: str = TENANT) -> str:
	"""Create what is missing for a user's device in a tenant; returns the device's new token."""
	return retry.run(lambda: _prepared(user, tenant))


def _prepared(user: str, tenant: str) -> str:
	space = tenants.ensure(tenant, TITLE)
	spaces.set_member(space, user, "owner")
	if not _exists(space, "form", "f-1"):
		_make_form(tenant)
	if not _exists(space, "meter", "m-123"):
		_make_meter(tenant)
	if not _exists(space, "submission", "sub-999"):
		_make_submission(tenant)
	device, token = device_tokens.register(user, DEVICE, "android", "Field tablet", (scopes.MOBILE,))
	_carry_token(device.name, space, tenant)
	frappe.db.commit()
	return token


def _exists(space: str, entity_type: str, client_id: str) -> str | None:
	return frappe.db.exists("Sync Record", ids.record(space, entity_type, client_id))


def _make(doctype: str, tenant: str, client_id: str, **values: Any) -> Document:
	doc = frappe.get_doc({"doctype": doctype, "tenant": tenant, "client_id": client_id, **values})
	return doc.insert(ignore_permissions=True)


def _make_form(tenant: str) -> None:
	"""Two versions: what the first asked stays valid."""
	form = _make("Field Form", tenant, "f-1", title="Meter inspection", questions=FIRST)
	form.extend("questions", SECOND)
	form.save(ignore_permissions=True)


def _make_meter(tenant: str) -> None:
	"""Seven readings, each a version."""
	meter = _make(
		"Field Meter", tenant, "m-123", code="WM-00123", title="Pump house", kind="water", unit="m³"
	)
	for reading in READINGS[1:]:
		meter.reading = reading
		meter.save(ignore_permissions=True)


def _make_submission(tenant: str) -> None:
	form = frappe.db.get_value("Field Form", {"tenant": tenant, "client_id": "f-1"})
	meter = frappe.db.get_value("Field Meter", {"tenant": tenant, "client_id": "m-123"})
	fields = {"form_id": form, "form_version": "v2", "meter_id": meter, "data": '{"fieldA": "seen"}'}
	submission = _make("Field Submission", tenant, "sub-999", **fields)
	for changed in ({"data": '{"fieldA": "reviewed"}'}, {"status": "approved"}):
		submission.update(changed).save(ignore_permissions=True)


def _carry_token(device: str, space: str, tenant: str) -> None:
	"""The token stands for the beginning: the device has everything of this tenant still to come."""
	if frappe.db.exists(tokens.DOCTYPE, tokens.name_of(device, space, OLD_TOKEN)):
		return
	frappe.get_doc(
		{"doctype": tokens.DOCTYPE, "token": OLD_TOKEN, "device": device, "tenant": tenant, "position": 0}
	).insert(ignore_permissions=True)
