"""Checks of a Sync Connection when it is saved, so that what is wrong shows in the form and not in a run."""

import json

import frappe
from frappe import _

from hisabi_sync.runs import addresses, channel, client, connectors, mapping
from hisabi_sync.runs.errors import RemoteError

STANDARD = {"name", "owner", "creation", "modified", "modified_by", "docstatus", "idx"}


def address(url):
	"""http or https, without a password in it, and not into the site's own network."""
	shown = frappe.utils.escape_html(url)
	try:
		_scheme, host, port = client.origin(url)
	except RemoteError:
		frappe.throw(_("{0} is no address of http or https without a password in it").format(shown))
	try:
		addresses.resolve(host, port)
	except RemoteError as error:
		if error.code == "address_refused":
			frappe.throw(
				_("{0} is in a network that {1} in site_config.json has to name").format(
					shown, addresses.CONFIG
				)
			)


def entities(connection):
	seen = set()
	for row in connection.entities:
		if row.entity in seen:
			frappe.throw(_("Row {0}: {1} is there twice").format(row.idx, _(row.entity)))
		seen.add(row.entity)
		_entity(connection, row)


def _entity(connection, row):
	"""Raise frappe.ValidationError, or PermissionError for a DocType that the person may not send or have written."""
	wanted = "read" if row.direction == channel.PUSH else "write"
	if not (_is_offered(row.document_type) and frappe.has_permission(row.document_type, wanted)):
		frappe.throw(_("You may not use {0}").format(row.document_type), frappe.PermissionError)
	meta = frappe.get_meta(row.document_type)
	if meta.issingle or meta.istable:
		frappe.throw(_("Row {0}: {1} has no documents of its own").format(row.idx, row.document_type))
	known = {df.fieldname for df in meta.fields} | STANDARD
	filters = _json(row, "filters")
	if not row.tenant_field and not filters:
		frappe.throw(_("Row {0}: name the tenant field, or filters that choose this tenant").format(row.idx))
	named = [row.tenant_field, row.status_field, row.date_field, *filters]
	_require_known(row, [name for name in named if name], known)
	_mapping(row, known)
	try:
		connectors.of(connection.connector).check(_json(row, "options"))
	except ValueError as error:
		_wrong(row, _("Options of the connector"), error)


def _is_offered(doctype):
	"""Other DocTypes, such as User, are for those who may do everything."""
	return doctype in frappe.get_hooks("sync_run_doctypes") or "System Manager" in frappe.get_roles()


def _mapping(row, known):
	try:
		rows = mapping.read(row.mapping or "[]")
	except ValueError as error:
		_wrong(row, _("Mapping"), error)
	if not rows:
		_wrong(row, _("Mapping"), _("it is empty"))
	_require_known(row, [part.local for part in rows if part.local], known)


def _json(row, fieldname):
	try:
		value = json.loads(row.get(fieldname) or "{}")
	except ValueError as error:
		_wrong(row, _(row.meta.get_label(fieldname)), error)
	if not isinstance(value, dict):
		_wrong(row, _(row.meta.get_label(fieldname)), _("an object is needed"))
	return value


def _require_known(row, names, known):
	missing = [name for name in names if name not in known]
	if missing:
		text = frappe.utils.escape_html(", ".join(missing))
		frappe.throw(_("Row {0}: {1} has no field {2}").format(row.idx, row.document_type, text))


def _wrong(row, label, error):
	frappe.throw(_("Row {0}, {1}: {2}").format(row.idx, label, frappe.utils.escape_html(str(error))))
