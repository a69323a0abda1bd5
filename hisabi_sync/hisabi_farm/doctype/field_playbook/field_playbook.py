import frappe
from frappe import _

from hisabi_sync.engine import ids
from hisabi_sync.hisabi_farm import history
from hisabi_sync.hisabi_farm.document import FarmDocument
from hisabi_sync.hisabi_farm.patches import MOST_RULES


class FieldPlaybook(FarmDocument):
	"""Rules of thumb for a crop. Whoever changes them makes the next version, and every version is kept."""

	PREFIX = "pb"

	def validate(self):
		super().validate()
		self._name_rules()
		before = self.get_doc_before_save()
		self.version = before.version if before else 0
		if before is None or history.content(before) != history.content(self):
			self.version += 1

	def _name_rules(self):
		for rule in self.rules:
			rule.rule_id = (rule.rule_id or "").strip() or f"r-{frappe.generate_hash(length=8)}"
			if not ids.is_client_id(rule.rule_id):
				frappe.throw(_("Rule {0}: this ID has characters that are not allowed").format(rule.idx))
		if len({rule.rule_id for rule in self.rules}) < len(self.rules):
			frappe.throw(_("Two rules have the same ID"))
		if len(self.rules) > MOST_RULES:
			frappe.throw(_("A playbook has at most {0} rules").format(MOST_RULES))

	def before_save(self):
		"""The reason goes into the history and does not stay."""
		self.flags.change_reason, self.change_reason = self.change_reason, None

	def on_update(self):
		before = self.get_doc_before_save()
		if before is None or before.version != self.version:
			history.publish(self, before)
