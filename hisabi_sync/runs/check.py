"""Checks of a Sync Connection when it is saved, so that what is wrong shows in the form and not in a run."""

import json
import re
from collections.abc import Collection, Iterable
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.model.meta import Meta

from hisabi_sync import bounds
from hisabi_sync.runs import channel, client, connectors, mapping, transport
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.space_clauses import CLAUSES

TENANT = "tenant"
STANDARD = {"name", "owner", "creation", "modified", "modified_by", "docstatus", "idx"}


def address(url: str) -> None:
	"""http or https, without a password in it, and not into the site's own network."""
	shown = frappe.utils.escape_html(url)
	try:
		_scheme, host, port = client.origin(url)
	except RemoteError:
		frappe.throw(_("{0} must be an http or https address without a password").format(shown))
	try:
		transport.resolve(host, port)
	except RemoteError as error:
		if error.code == "address_refused":
			frappe.throw(
				_("{0} is in a private network; add that network to {1} in site_config.json").format(
					shown, transport.CONFIG
				)
			)


def entities(connection: Document) -> None:
	"""Check the rows of a connection. Raises frappe.ValidationError that names the row."""
	seen: dict[str, Document] = {}
	for row in connection.entities:
		other = seen.setdefault(row.entity, row)
		if other is not row:
			_both_ways(row, other)
		if row.attachments:
			bounds.check(row)
		_entity(connection, row)


def _both_ways(row: Document, other: Document) -> None:
	"""An entity may have a row for each direction, of the same documents on both sides."""
	if row.direction == other.direction:
		frappe.throw(_("Row {0}: {1} is listed twice").format(row.idx, _(row.entity)))
	if (row.document_type, row.remote_type) != (other.document_type, other.remote_type):
		text = _("Row {0}: both directions of {1} need the same document type and the same name there")
		frappe.throw(text.format(row.idx, _(row.entity)))


def _entity(connection: Document, row: Document) -> None:
	"""Raise frappe.ValidationError, or PermissionError for a DocType that the person may not send or have written."""
	right = "read" if row.direction == channel.PUSH else "write"
	if not (_is_offered(row.document_type) and frappe.has_permission(row.document_type, right)):
		frappe.throw(_("You may not use {0}").format(row.document_type), frappe.PermissionError)
	meta = frappe.get_meta(row.document_type)
	if meta.issingle or meta.istable:
		frappe.throw(_("Row {0}: {1} has no documents of its own").format(row.idx, row.document_type))
	names_known = {df.fieldname for df in meta.fields} | STANDARD
	if row.document_type in CLAUSES and meta.has_field(TENANT) and row.tenant_field != TENANT:
		frappe.throw(_("Row {0}: the tenant field of {1} is {2}").format(row.idx, row.document_type, TENANT))
	filters = _json(row, "filters")
	if not row.tenant_field and not filters:
		frappe.throw(_("Row {0}: name the tenant field, or filters that choose this tenant").format(row.idx))
	named = [row.tenant_field, row.status_field, row.date_field, *filters]
	_require_known(row, [name for name in named if name], names_known)
	_mapping(connection, row, meta)
	_require_filled(row)
	_lifecycle(connection, row, meta)
	try:
		connectors.of(connection.connector).check(_json(row, "options"))
	except ValueError as error:
		_wrong(row, _("Options of the connector"), error)


def _is_offered(doctype: str) -> bool:
	"""Other DocTypes, such as User, are for those who may do everything."""
	return doctype in frappe.get_hooks("sync_run_doctypes") or "System Manager" in frappe.get_roles()


def _mapping(connection: Document, row: Document, meta: Meta) -> None:
	try:
		rows = mapping.read(row.mapping or "[]")
	except ValueError as error:
		_wrong(row, _("Mapping"), error)
	if not rows:
		_wrong(row, _("Mapping"), _("it is empty"))
	_fields(row, rows, meta)
	_links(connection, row, rows)


def _links(connection: Document, row: Document, parts: Iterable[mapping.Row]) -> None:
	"""What is linked to has to be exchanged by the same connection, for its identities say what is what."""
	rows = {other.entity: other for other in connection.entities}
	for part in parts:
		_links(connection, row, part.rows or ())
		for entity in sorted(part.link.entities) if part.link else ():
			if entity not in rows:
				text = _(
					"{0} links to {1}, which this connection does not have: add that entity, or remove the link"
				)
				_wrong(row, _("Mapping"), text.format(part.local, entity))
			linked = frappe.get_meta(rows[entity].document_type)
			names_known = {df.fieldname for df in linked.fields} | STANDARD
			_require_known(rows[entity], part.link.here if part.link else (), names_known)


def _fields(row: Document, parts: Iterable[mapping.Row], meta: Meta) -> None:
	"""Ours are fields of the DocType; a pull writes none of those that Frappe keeps itself, such as name and owner."""
	names_known = {df.fieldname for df in meta.fields} | (
		STANDARD if row.direction == channel.PUSH else set()
	)
	parts = [part for part in parts if part.local]
	_require_known(row, [part.local for part in parts if part.local], names_known)
	for part in parts:
		df = meta.get_field(part.local)
		is_table = bool(df and df.fieldtype in frappe.model.table_fields)
		if is_table != (part.rows is not None):
			_wrong(
				row, _("Mapping"), _("{0}: rows are for child tables, and for all of them").format(part.local)
			)
		if is_table:
			_fields(row, part.rows or [], frappe.get_meta(df.options))


def _lifecycle(connection: Document, row: Document, meta: Meta) -> None:
	"""Submitting and cancelling need documents that can be, on the side that is written to."""
	hows = {row.cancelled_as, row.deleted_as}
	if row.then_do or "cancel" in hows:
		if not connectors.of(connection.connector).submits:
			frappe.throw(_("Row {0}: the connector cannot submit or cancel").format(row.idx))
		if row.direction == channel.PULL and not meta.is_submittable:
			frappe.throw(_("Row {0}: {1} has nothing to submit or cancel").format(row.idx, row.document_type))
	if row.attachments and not connectors.of(connection.connector).attaches:
		frappe.throw(_("Row {0}: the connector carries no attachments").format(row.idx))
	values = _json(row, "gone_values")
	if "values" in hows and not values:
		frappe.throw(_("Row {0}: name the values of what is gone").format(row.idx))
	if row.direction == channel.PULL:
		_require_known(row, values, {df.fieldname for df in meta.fields})


def _require_filled(row: Document) -> None:
	"""A word that a preset left open, such as {company}, would reach the other side as it stands."""
	left = re.findall(r'"(\{\w+\})"', f"{row.mapping}{row.filters}{row.options}")
	if left:
		text = frappe.utils.escape_html(", ".join(dict.fromkeys(left)))
		frappe.throw(_("Row {0}: replace {1} with a value").format(row.idx, text))


def _json(row: Document, fieldname: str) -> dict[str, Any]:
	try:
		value = json.loads(row.get(fieldname) or "{}")
	except ValueError as error:
		_wrong(row, _(row.meta.get_label(fieldname)), error)
	if not isinstance(value, dict):
		_wrong(row, _(row.meta.get_label(fieldname)), _("an object is needed"))
	return value


def _require_known(row: Document, names: Iterable[str], fields: Collection[str]) -> None:
	missing = [name for name in names if name not in fields]
	if missing:
		text = frappe.utils.escape_html(", ".join(missing))
		frappe.throw(_("Row {0}: {1} has no field {2}").format(row.idx, row.document_type, text))


def _wrong(row: Document, label: str, error: object) -> None:
	frappe.throw(_("Row {0}, {1}: {2}").format(row.idx, label, frappe.utils.escape_html(str(error))))
