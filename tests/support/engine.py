"""Calling the engine without HTTP."""

import frappe

from hisabi_sync.engine import ledger, pull, push
from hisabi_sync.engine.model.change import Change
from tests.support.phone import new_id


def change(entity_type, client_id, operation="create", base_version=None, op_id=None, **payload):
	"""A Change as a contract would make it."""
	fingerprint = ledger.fingerprint(entity_type, client_id, operation, base_version, payload)
	op_id = op_id or new_id("op")
	return Change(
		0,
		op_id,
		entity_type,
		client_id,
		operation,
		payload,
		base_version,
		fingerprint=fingerprint,
		raw=payload,
	)


def send(caller, *changes, **options):
	"""Push as the caller's user; returns the outcomes."""
	frappe.set_user(caller.user)
	for index, given in enumerate(changes):
		given.index = index
	try:
		return push.push(caller, list(changes), push.Options("test", **options)).outcomes
	finally:
		frappe.set_user("Administrator")


def fetch(caller, token=None, limit=500, **filters):
	"""All items after the cursor, and the cursor behind them."""
	frappe.set_user(caller.user)
	try:
		items, more = [], True
		while more:
			frappe.db.rollback()
			page = pull.pull(caller, token, limit, **filters)
			items, token, more = items + page.items, page.next_cursor, page.has_more
		return items, token
	finally:
		frappe.set_user("Administrator")


def document_of(caller, client_id):
	"""Name of the document that a record of the caller's space stands for."""
	return frappe.db.get_value(
		"Sync Record", {"space": caller.space, "client_id": client_id}, "document_name"
	)
