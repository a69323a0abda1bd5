"""Actions of an item that were refused while the rest of it was applied: a person takes them later, as the device's user.

Each is a change of its own in the ledger, so that it is taken once. The first answer stays what repeats of the item get.
"""

import json

import frappe

from hisabi_sync.engine import ledger, push
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model.change import ACCEPTED, DUPLICATE, Caller, Change, Outcome


class Refused(Exception):
	"""An action was refused again; nothing of the push that took it stays."""

	def __init__(self, outcome: Outcome) -> None:
		self.outcome = outcome


def take(item: frappe._dict, change: Change, caller: Caller) -> Outcome:
	"""Take what an item left undone, whatever became of its record since; returns the outcome of the last action, or of the
	one that was refused. `change` is the item's change as its device sent it.
	"""
	actions = _actions(item, change)

	def settle(result: push.Result) -> None:
		for outcome in result.outcomes:
			if outcome.status not in (ACCEPTED, DUPLICATE):
				raise Refused(outcome)
		sql.update_in("Sync Item", {"failed": 0, "error_code": None, "error_message": ""}, [item.name])

	try:
		return push.push(caller, actions, push.Options(item.contract), after=settle).outcomes[-1]
	except Refused as refused:
		frappe.db.rollback()
		_count(item.name)
		return refused.outcome


def _actions(item: frappe._dict, change: Change) -> list[Change]:
	"""The action that was refused and those that were to follow it, as changes without a version that they were based on."""
	first = json.loads(item.result)["left_undone"]["action"]
	left = change.then[change.then.index(first) :]
	return [_action(item, place, name, change) for place, name in enumerate(left)]


def _action(item: frappe._dict, place: int, name: str, change: Change) -> Change:
	op_id = f"{item.name}:{name}"
	raw = {"left_undone_by": item.op_id, "action": name}
	hashed = ledger.fingerprint(op_id)
	return Change(
		place,
		op_id,
		change.entity_type,
		change.client_id,
		name,
		{},
		fingerprint=hashed,
		raw=raw,
		args=change.args,
	)


def _count(name: str) -> None:
	frappe.db.sql("UPDATE `tabSync Item` SET attempts = attempts + 1 WHERE name = %s", (name,))
	frappe.db.commit()
