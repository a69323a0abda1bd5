import json

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import entities, reconcile

# Parameters that a policy cannot do without.
PARAMETERS = {"terminal_value_wins": ("field", "value"), "draft_then_immutable": ("field",)}


class SyncEntity(Document):
	"""Makes a DocType available offline."""

	def validate(self):
		meta = frappe.get_meta(self.document_type)
		if meta.istable or meta.issingle:
			frappe.throw(_("{0} has no documents of its own that could be synced").format(self.document_type))
		self._check_path(meta)
		self._check_fields(meta)
		self._check_parameters()
		self._check_unique()

	def _check_path(self, meta):
		*links, last = self.space_path.split(".")
		for link in links:
			df = meta.get_field(link)
			if not df or df.fieldtype != "Link":
				frappe.throw(_("{0} in the space path is not a link of {1}").format(link, meta.name))
			meta = frappe.get_meta(df.options)
		if last != "name" and not meta.has_field(last):
			frappe.throw(_("{0} in the space path is not a field of {1}").format(last, meta.name))

	def _check_fields(self, meta):
		names = [row.fieldname for row in self.fields]
		names += [self.client_id_field] if self.client_id_field else []
		unknown = [name for name in names if not meta.has_field(name)]
		if unknown:
			frappe.throw(_("{0} has no fields {1}").format(meta.name, ", ".join(unknown)))

	def _check_parameters(self):
		given = {}
		for name in ("policy_parameters", "field_policies", "one_of"):
			try:
				given[name] = json.loads(self.get(name) or "{}")
			except ValueError:
				frappe.throw(_("{0} is not valid JSON").format(_(self.meta.get_label(name))))
		missing = [key for key in PARAMETERS.get(self.policy, ()) if key not in given["policy_parameters"]]
		if missing:
			frappe.throw(_("The policy {0} needs the parameters {1}").format(self.policy, ", ".join(missing)))

	def _check_unique(self):
		other = frappe.db.exists(
			"Sync Entity", {"document_type": self.document_type, "name": ["!=", self.name or ""]}
		)
		if other:
			frappe.throw(_("{0} is synced already, as {1}").format(self.document_type, other))

	def on_update(self):
		entities.forget()
		if self.enabled and not self.flags.from_declaration:
			reconcile.enqueue(self.name)

	def on_trash(self):
		entities.forget()
