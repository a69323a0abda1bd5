"""Files that are attached to records, as a device downloads them. Source: docs/contracts/site.md, Attachments."""

import mimetypes
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import frappe
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.utils import redirect, send_file
from werkzeug.wrappers import Response

from hisabi_sync.api.media import endpoints as uploads
from hisabi_sync.engine.attachments import IN_SIDEBAR, ON_DISK
from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import files
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import visibility
from hisabi_sync.media import deliver, names, rows, s3

COLUMNS = ["name", "file_name", "file_url", "attached_to_doctype", "attached_to_name"]


@dataclass(frozen=True, slots=True)
class StoredFile:
	"""A File that the caller may download, and where its content is."""

	name: str
	file_name: str
	address: str


def find(name: str, user: str, spaces: Collection[str]) -> StoredFile:
	"""The File of a record that the user is shown in one of their spaces. Raises RequestError not_found for any other."""
	found = sql.select("File", COLUMNS, f"name = %s AND {IN_SIDEBAR}", (name,))
	for own, file_name, address, doctype, document in found:
		if own == name and _is_shown(doctype, document, user, spaces):
			return StoredFile(own, file_name or own, address or "")
	raise RequestError("not_found")


def _is_shown(doctype: str, document: str, user: str, spaces: Collection[str]) -> bool:
	entity = registry().by_doctype.get(doctype)
	if entity is None or not entity.attachments or not entity.enabled or not spaces:
		return False
	where = "document_type = %s AND document_name = %s AND entity_type = %s AND deleted_at IS NULL AND space IN %s"
	values = (doctype, document, entity.name, tuple(spaces))
	lies = sql.select("Sync Record", ["document_name"], where, values)
	return any(str(name) == document for name in visibility.readable(entity, [row[0] for row in lies], user))


def answer(found: StoredFile) -> Response:
	"""The content, or a part of it. Raises RequestError not_found, range_not_satisfiable."""
	key = files.key_in(found.address)
	media = deliver.finished(rows.get(key)) if key else None
	if media and media.backend == "S3":
		response = redirect(s3.download_url(media))
	else:
		response = uploads.sent(media) if media else _on_disk(found)
	response.headers.update(uploads.HEADERS)
	return response


def _on_disk(found: StoredFile) -> Response:
	path = path_of(found.address)
	kind = mimetypes.guess_type(found.file_name)[0] or names.ANY_TYPE
	name = names.harmless(names.clean_name(found.file_name))
	try:
		return send_file(path, frappe.request.environ, mimetype=kind, as_attachment=True, download_name=name)
	except RequestedRangeNotSatisfiable:
		raise RequestError("range_not_satisfiable", size=path.stat().st_size) from None


def path_of(address: str) -> Path:
	"""Where the content lies among the site's files. Raises RequestError not_found, also for an address that leads out of them."""
	home = next((begin for begin in ON_DISK if address.startswith(begin)), None)
	if home is None:
		raise RequestError("not_found")
	root = Path(
		frappe.get_site_path(*(["public"] if home == ON_DISK[0] else []), *home.strip("/").split("/"))
	).resolve()
	path = (root / address.removeprefix(home)).resolve()
	if not path.is_relative_to(root) or not path.is_file():
		raise RequestError("not_found")
	return path
