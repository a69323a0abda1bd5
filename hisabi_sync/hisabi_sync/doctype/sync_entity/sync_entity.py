import json

import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync.engine import entities, jobs

# Parameters that a policy cannot do without.
PARAMETERS = {"terminal_value_wins": ("field", "value"), "draft_then_immutable": ("field",)}


# What a Sync Manager may tune; what is synced, and past which rights, is for System Managers to say.
TUNABLE = ("enabled", "policy", "policy_parameters", "field_policies", "max_payload_kib", "rank")
# Users, roles and code: never open to devices beyond what the user himself may do.
GUARDED_MODULES = ("Core", "Custom")


# What may decide where `terminal_value_wins` does not.
OTHERWISE = ("merge", "manual", "last_write_wins", "client_wins", "server_wins")


class SyncEntity(Document):
	"""Makes a DocType available offline."""

	def validate(self):
		self._check_rights()
		meta = frappe.get_meta(self.document_type)
		if meta.istable or meta.issingle:
			frappe.throw(_("{0} has no documents of its own that could be synced").format(self.document_type))
		self._check_path(meta)
		self._check_fields(meta)
		self._check_parameters()
		self._check_unique()

	def _check_rights(self):
		if self.flags.from_declaration or self.flags.ignore_permissions:
			return
		if "System Manager" not in frappe.get_roles() and self._widened():
			frappe.throw(_("Only a System Manager decides what is synced"), frappe.PermissionError)
		guarded = frappe.get_meta(self.document_type).module in GUARDED_MODULES
		if guarded and not self.check_permissions:
			frappe.throw(
				_("{0} is synced only with the user's own permissions").format(_(self.document_type))
			)

	def _widened(self):
		names = [df.fieldname for df in self.meta.fields if df.fieldname not in TUNABLE]
		return (
			self.is_new()
			or any(self.has_value_changed(name) for name in names if name != "fields")
			or (_rows(self) != _rows(self.get_doc_before_save()))
		)

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
		self._check_types(given)
		missing = [key for key in PARAMETERS.get(self.policy, ()) if key not in given["policy_parameters"]]
		if missing:
			frappe.throw(_("The policy {0} needs the parameters {1}").format(self.policy, ", ".join(missing)))

	def _check_types(self, given):
		groups = given["one_of"] or []
		choices = (
			(given["field_policies"] or {}).values() if isinstance(given["field_policies"], dict) else [None]
		)
		wrong = (
			not isinstance(given["policy_parameters"], dict)
			or not isinstance(groups, list)
			or not all(isinstance(group, list) for group in groups)
			or not set(choices) <= {"client_wins", "server_wins"}
		)
		otherwise = "merge" if wrong else given["policy_parameters"].get("otherwise", "merge")
		if wrong or otherwise not in OTHERWISE:
			frappe.throw(_("Parameters have a wrong form"))

	def _check_unique(self):
		other = frappe.db.exists(
			"Sync Entity", {"document_type": self.document_type, "name": ["!=", self.name or ""]}
		)
		if other:
			frappe.throw(_("{0} is synced already, as {1}").format(self.document_type, other))

	def on_update(self):
		entities.forget()
		if self.enabled and not self.flags.from_declaration:
			jobs.reconcile(self.name)

	def on_trash(self):
		entities.forget()


def _rows(doc):
	return [(row.fieldname, row.access, row.aliases or "", row.required or 0) for row in doc.fields]
