import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync import bounds, tenants
from hisabi_sync.engine.model import ids
from hisabi_sync.runs import breaker, check, client, connectors, finish, states
from hisabi_sync.runs.errors import RemoteError, message

OPEN = (states.QUEUED, states.RUNNING)


class SyncConnection(Document):
	"""Another system of a tenant, and which of its entities are kept in step with ours."""

	def validate(self) -> None:
		self._keep_state()
		bounds.check(self)
		if self.is_new():
			tenants.check(self.tenant)
		self.space = ids.space(tenants.SPACE_TYPE, self.tenant)
		if self.connector not in connectors.names():
			frappe.throw(
				_("There is no connector {0}").format(frappe.utils.escape_html(self.connector or ""))
			)
		self._check_addresses()
		self._check_secret()
		check.entities(self)

	def _keep_state(self) -> None:
		"""Workers write the state past this form; what the form has of it is old."""
		if not self.is_new():
			state = frappe.db.get_value(self.doctype, self.name, breaker.STATE, as_dict=True)
			self.update(state or {})

	def _check_addresses(self) -> None:
		for fieldname in ("base_url", "sandbox_url"):
			self.set(fieldname, (self.get(fieldname) or "").strip())
		check.address(self.base_url)
		if self.sandbox_url:
			check.address(self.sandbox_url)
			if client.origin(self.sandbox_url) == client.origin(self.base_url):
				frappe.throw(_("The sandbox address is the production address"))
		elif self.sandbox:
			frappe.throw(_("A sandbox connection needs a sandbox address"))

	def _check_secret(self) -> None:
		"""To point a connection to another address, a person has to enter its secret again."""
		before = self.get_doc_before_save()
		if before is None or not self.is_dummy_password(self.auth_secret or ""):
			return
		for fieldname in ("base_url", "sandbox_url"):
			if self.get(fieldname) and _origin(self.get(fieldname)) != _origin(before.get(fieldname)):
				frappe.throw(_("Enter the secret again: the address has changed"))

	def on_trash(self) -> None:
		for run in frappe.get_all(
			"Sync Run", {"connection": self.name, "status": ["in", OPEN]}, pluck="name", order_by="name"
		):
			finish.cancel(run, message("connection_changed"))
		for doctype in ("Sync Watermark", "Sync Identity"):
			frappe.db.delete(doctype, {"connection": self.name})


def _origin(address: str | None) -> tuple[str, str, int] | None:
	try:
		return client.origin(address or "")
	except RemoteError:
		return None
