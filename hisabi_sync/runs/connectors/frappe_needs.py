"""What another Frappe site lacks for a row of a connection: its type, fields, rights of our user, and documents that are named.

Nothing is remembered between two looks, and what the site's caches say is not believed where the database can be asked.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from frappe import _

from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.needs import Needs

if TYPE_CHECKING:
	from hisabi_sync.runs.connectors.frappe_site import FrappeConnector

META, ALLOWED = "/api/method/frappe.desk.form.load.getdoctype", "/api/method/frappe.client.has_permission"
CUSTOM_FIELD = "/api/resource/Custom Field"
STANDARD = {"name", "owner", "creation", "modified", "modified_by", "docstatus", "idx"}
REFUSALS = ("remote_rejected", "remote_failed", "remote_refused_credentials", "remote_missing")


def lacks(connector: "FrappeConnector", needs: Needs) -> Iterator[RemoteError]:
	"""What is missing, each with a code and a sentence of its own. Raises RemoteError where the site does not answer."""
	docs = _docs(connector)
	if not docs:
		yield RemoteError("remote_type_missing", connector.remote_type)
		return
	denied = [right for right in needs.rights if not _is_allowed(connector, right)]
	yield from [
		RemoteError("remote_right_missing", f"{_(right)} {connector.remote_type}") for right in denied
	]
	yield from [RemoteError("remote_field_missing", name) for name in _absent(docs, needs)]
	yield from _values(connector, docs[0], needs)
	if "read" not in denied:
		connector.test()
		yield from key_field(connector, docs)


def _docs(connector: "FrappeConnector") -> list[dict[str, Any]]:
	"""The DocType, and those of its child tables; none where there is no such type."""
	answer = connector.client.call("GET", META, params={"doctype": connector.remote_type}, missing_ok=True)
	docs = answer.get("docs") if isinstance(answer, dict) else None
	return [doc for doc in docs or () if isinstance(doc, dict)]


def is_submittable(connector: "FrappeConnector") -> bool:
	"""Whether documents of the type are submitted; not where the site does not say."""
	try:
		docs = _docs(connector)
	except RemoteError as error:
		if error.code in REFUSALS:
			return False
		raise
	return bool(docs and docs[0].get("is_submittable"))


def _is_allowed(connector: "FrappeConnector", right: str) -> bool:
	"""Whether the site does not say that our user has no such right: a site that does not answer this is not doubted."""
	params = {"doctype": connector.remote_type, "docname": "", "perm_type": right}
	try:
		answer = connector.client.call("GET", ALLOWED, params=params)
	except RemoteError as error:
		if error.code in REFUSALS:
			return True
		raise
	message = answer.get("message") if isinstance(answer, dict) else None
	return not isinstance(message, dict) or bool(message.get("has_permission", True))


def _fields(doc: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
	rows = doc.get("fields")
	return {row["fieldname"]: row for row in rows or () if isinstance(row, dict) and row.get("fieldname")}


def _absent(docs: list[dict[str, Any]], needs: Needs) -> list[str]:
	own = _fields(docs[0])
	missing = [name for name in needs.fields if name not in own and name not in STANDARD]
	by_type = {doc.get("name"): _fields(doc) for doc in docs[1:]}
	for table, names in needs.rows.items():
		columns = by_type.get(own.get(table, {}).get("options"))
		missing += [f"{table}.{name}" for name in names if columns is not None and name not in columns]
	return missing


def _values(connector: "FrappeConnector", doc: Mapping[str, Any], needs: Needs) -> Iterator[RemoteError]:
	"""Constants that name a document, such as the company: it has to be there."""
	fields = _fields(doc)
	for name, value in needs.values.items():
		df = fields.get(name, {})
		if df.get("fieldtype") == "Link" and not _is_there(connector, df.get("options"), value):
			yield RemoteError("remote_value_missing", f"{df.get('options')} {value}")


def _is_there(connector: "FrappeConnector", kind: Any, name: Any) -> bool:
	params = {"fields": '["name"]', "filters": json.dumps([["name", "=", name]]), "limit_page_length": 1}
	try:
		answer = connector.client.call("GET", f"/api/resource/{kind}", params=params)
	except RemoteError as error:
		if error.code in REFUSALS:
			return True  # it cannot be known, so that it is not said
		raise
	return bool(isinstance(answer, dict) and answer.get("data"))


def key_field(
	connector: "FrappeConnector", docs: list[dict[str, Any]] | None = None
) -> Iterator[RemoteError]:
	"""Whether the field for our key is missing, or there and not to be queried by our user."""
	if not connector.key_field or _is_queried(connector):
		return
	names = _fields((docs or _docs(connector))[0])
	there = connector.key_field in names or _is_stored(connector)
	code = "key_field_unreadable" if there else "key_field_missing"
	yield RemoteError(code, f"{connector.remote_type}.{connector.key_field}")


def _is_queried(connector: "FrappeConnector") -> bool:
	try:
		connector.find("-")
		return True
	except RemoteError as error:
		if error.code not in REFUSALS:
			raise
		return False


def _is_stored(connector: "FrappeConnector") -> bool:
	"""By the table of custom fields itself, where our user may read that."""
	filters = [["dt", "=", connector.remote_type], ["fieldname", "=", connector.key_field]]
	params = {"fields": '["name"]', "filters": json.dumps(filters), "limit_page_length": 1}
	try:
		answer = connector.client.call("GET", CUSTOM_FIELD, params=params)
	except RemoteError as error:
		if error.code in REFUSALS:
			return False
		raise
	return bool(isinstance(answer, dict) and answer.get("data"))


def make_key_field(connector: "FrappeConnector") -> None:
	"""Make the field for our key. Raises RemoteError remote_right_missing where our user may not."""
	body = {
		"dt": connector.remote_type,
		"fieldname": connector.key_field,
		"label": "Sync Key",
		"fieldtype": "Data",
		"description": "Set by the system that sends these documents",
		"allow_on_submit": 1,
		**dict.fromkeys(("unique", "no_copy", "read_only", "print_hide"), 1),
	}
	try:
		connector.client.call("POST", CUSTOM_FIELD, body)
	except RemoteError as error:
		if error.code != "remote_refused_credentials":
			raise
		raise RemoteError("remote_right_missing", f"{_('create')} Custom Field") from None
