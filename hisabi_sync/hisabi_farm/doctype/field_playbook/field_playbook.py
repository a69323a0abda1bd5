from typing import Any

import frappe
from frappe import _

from hisabi_sync.engine.model import ids
from hisabi_sync.hisabi_farm import history
from hisabi_sync.hisabi_farm.document import FarmDocument
from hisabi_sync.hisabi_farm.patches import MOST_RULES


class FieldPlaybook(FarmDocument):
	"""Rules of thumb for a crop. Each change makes the next version, and every version is kept."""

	PREFIX = "pb"
	change_reason: str | None

	def validate(self) -> None:
		super().validate()
		self._name_rules()
		before = self.get_doc_before_save()
		self.version = before.version if before else 0
		if before is None or history.content(before) != history.content(self):
			self.version += 1

	def _name_rules(self) -> None:
		for rule in self.rules:
			rule.rule_id = (rule.rule_id or "").strip() or f"r-{frappe.generate_hash(length=8)}"
			if not ids.is_client_id(rule.rule_id):
				frappe.throw(_("Rule {0}: this ID has characters that are not allowed").format(rule.idx))
		if len({rule.rule_id for rule in self.rules}) < len(self.rules):
			frappe.throw(_("Two rules have the same ID"))
		if len(self.rules) > MOST_RULES:
			frappe.throw(_("A playbook has at most {0} rules").format(MOST_RULES))

	def before_save(self) -> None:
		"""The reason goes into the history and does not stay."""
		self.flags.change_reason, self.change_reason = self.change_reason, None

	def on_update(self) -> None:
		before = self.get_doc_before_save()
		if before is None or before.version != self.version:
			history.publish(self, before)


SHOWN = 20


@frappe.whitelist()
def history_of(name: Any) -> dict[str, Any]:
	"""The newest versions of a playbook, who made them and what each changed: `{versions, labels, more}`."""
	if not frappe.has_permission("Field Playbook", "read", doc=str(name)):
		raise frappe.PermissionError
	columns = "name version reason author source device made_at".split()
	found = frappe.get_all(
		"Field Playbook Patch", {"playbook": str(name)}, columns, order_by="version desc", limit=SHOWN + 1
	)
	shown = found[:SHOWN]
	_add_devices(shown)
	_add_operations(shown)
	labels = {df.fieldname: df.label for df in frappe.get_meta("Field Playbook Rule").fields}
	return {"versions": shown, "labels": labels, "more": len(found) > SHOWN}


def _add_devices(patches: list[frappe._dict]) -> None:
	names = [patch.device for patch in patches if patch.device]
	devices = frappe.get_all("Sync Device", {"name": ["in", names]}, ["name", "device_name"], as_list=True)
	titles = dict(devices) if names else {}
	for patch in patches:
		patch.device_name = titles.get(patch.device)


def _add_operations(patches: list[frappe._dict]) -> None:
	columns = "parent operation rule_id rule_title summary changes".split()
	filters = {"parenttype": "Field Playbook Patch", "parent": ["in", [patch.name for patch in patches]]}
	rows = (
		frappe.get_all("Field Playbook Operation", filters, columns, order_by="parent, idx")
		if patches
		else []
	)
	for patch in patches:
		patch.operations = [row for row in rows if row.parent == patch.name]
