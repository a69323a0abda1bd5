"""Attachments of another Frappe site: its File documents, their content, and the call that takes uploads."""

import json
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hisabi_sync.runs.connectors.base import RemoteFile
from hisabi_sync.runs.errors import RemoteError

if TYPE_CHECKING:
	from hisabi_sync.runs.connectors.frappe_site import FrappeConnector

LIST, UPLOAD = "/api/resource/File", "/api/method/upload_file"
FIELDS = ["name", "modified", "attached_to_name", "file_name", "file_url", "file_size", "content_hash"]
# What lies on the site itself; other addresses are no content of it.
OWN = ("/files/", "/private/files/")
PAGE = 500


def of_records(connector: "FrappeConnector", names: Collection[str]) -> list[RemoteFile]:
	"""All attachments of some records, in as many pages as it takes."""
	found, position, more = [], None, True
	filters = [["attached_to_name", "in", list(names)]]
	while more:
		files, position = _page(connector, filters, "", position)
		found += files
		more = position is not None
	return found


def since(
	connector: "FrappeConnector", stamp: str, position: dict[str, Any] | None
) -> tuple[list[RemoteFile], dict[str, Any] | None]:
	"""(a page of attachments that changed since a stamp, position of the next page or None)."""
	return _page(connector, [], stamp, position)


def _page(
	connector: "FrappeConnector", filters: list[list[Any]], stamp: str, position: dict[str, Any] | None
) -> tuple[list[RemoteFile], dict[str, Any] | None]:
	"""First those with the very time where the last page ended, then newer ones."""
	if position is None:
		rows = _rows(connector, [*filters, *([["modified", ">=", stamp]] if stamp else [])])
	else:
		at, newer = ["modified", "=", position["stamp"]], ["modified", ">", position["stamp"]]
		rows = _rows(connector, [*filters, at, ["name", ">", position["id"]]])
		rows += _rows(connector, [*filters, newer]) if len(rows) < PAGE else []
	last = {"stamp": rows[-1]["modified"], "id": rows[-1]["name"]} if len(rows) >= PAGE else None
	return _files(rows), last


def _rows(connector: "FrappeConnector", filters: list[list[Any]]) -> list[dict[str, Any]]:
	params = {
		"fields": json.dumps(FIELDS),
		"filters": json.dumps([["attached_to_doctype", "=", connector.remote_type], *filters]),
		"order_by": "modified asc, name asc",
		"limit_page_length": PAGE,
	}
	answer = connector.client.call("GET", LIST, params=params)
	rows = answer.get("data") if isinstance(answer, dict) else None
	if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("name") for row in rows):
		raise RemoteError("remote_invalid_answer")
	return rows


def _files(rows: Iterable[dict[str, Any]]) -> list[RemoteFile]:
	return [_file(row) for row in rows if str(row.get("file_url") or "").startswith(OWN)]


def _file(row: dict[str, Any]) -> RemoteFile:
	name, record, url = (str(row.get(key) or "") for key in ("file_name", "attached_to_name", "file_url"))
	size = row.get("file_size")
	whole = size if isinstance(size, int) else 0
	return RemoteFile(str(row["name"]), record, name, url, whole, str(row.get("content_hash") or ""))


def content(connector: "FrappeConnector", file: RemoteFile, most: int) -> bytes:
	"""The content of an attachment. Raises RemoteError for more than `most` bytes."""
	return connector.client.content(quote(file.url), most)


def attach(
	connector: "FrappeConnector", remote_id: str, name: str, raw: bytes, is_private: bool
) -> RemoteFile:
	"""Attach a file to a record. Raises RemoteError."""
	fields = {"doctype": connector.remote_type, "docname": remote_id, "is_private": int(is_private)}
	answer = connector.client.send(UPLOAD, {**fields, "file_name": name}, name, raw)
	row = answer.get("message") if isinstance(answer, dict) else None
	if not isinstance(row, dict) or not row.get("name"):
		raise RemoteError("remote_invalid_answer")
	return _file(row)
