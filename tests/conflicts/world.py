"""Two devices that disagree, and what is known of a conflict afterwards."""

import json

import frappe

from hisabi_sync.engine.resolution import cases
from tests.conflicts.doctypes import METER
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id

ACCOUNT = "Hisabi Account"


class Pair:
	"""`mine` is the device whose changes come too late, `theirs` the one that was faster."""

	def __init__(self, mine, theirs):
		self.mine, self.theirs = mine, theirs

	def account(self, **values):
		client_id = new_id("account")
		given = {
			"account_name": "Cash",
			"account_type": "cash",
			"currency": "SAR",
			"color": "white",
			**values,
		}
		self.accept(self.theirs, change(ACCOUNT, client_id, **given))
		return client_id

	def accept(self, caller, given):
		(outcome,) = send(caller, given)
		assert outcome.status == "accepted", outcome
		return outcome

	def clash(self, entity_type=ACCOUNT, client_id=None, theirs=None, mine=None):
		"""Both change the record of version 1; returns (client id, name of the open conflict)."""
		client_id = client_id or self.account()
		self.accept(self.theirs, change(entity_type, client_id, "update", 1, **(theirs or {"color": "red"})))
		(outcome,) = send(
			self.mine, change(entity_type, client_id, "update", 1, **(mine or {"color": "blue"}))
		)
		assert outcome.status == "conflict", outcome
		return client_id, outcome.conflict

	def meter(self, **values):
		client_id = new_id("meter")
		self.accept(self.theirs, change(METER, client_id, title="Main", **values))
		return client_id

	def record(self, client_id, entity_type=ACCOUNT):
		"""The record as a device that starts over pulls it, or None."""
		items, _ = fetch(self.mine, entity_types=[entity_type])
		return next((i for i in items if i.client_id == client_id and not i.deleted_at), None)


def conflict(name):
	"""The row with its JSON parsed."""
	frappe.db.rollback()
	row = frappe.db.get_value("Sync Conflict", name, "*", as_dict=True)
	for column in ("base_values", "server_values", "client_values", "proposed", "resolved_values", "history"):
		row[column] = json.loads(row[column]) if row[column] else None
	return row


def resolve(name, choice, user=None, **more):
	"""Resolve as a person and commit."""
	return _as(user, lambda: cases.resolve(name, cases.Resolution(choice, **more)))


def dismiss(name, reason="Not needed", user=None):
	return _as(user, lambda: cases.dismiss(name, reason))


def reopen(name, reason=None, user=None):
	return _as(user, lambda: cases.reopen(name, reason))


def _as(user, work):
	frappe.db.rollback()
	frappe.set_user(user or "Administrator")
	try:
		answer = work()
		frappe.db.commit()
		return answer
	finally:
		frappe.set_user("Administrator")
