"""Uploads that Files in the sidebar of documents name: all of them, or those of some documents."""

from collections.abc import Collection

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import files

LIKE = f"%{files.VIEW.replace('_', chr(92) + '_')}%"


def named(keys: set[str]) -> set[str]:
	"""Which of the keys Files of documents name. Reads the Files whose address is this app's view: for what may be removed."""
	if not keys:
		return set()
	found = sql.select("File", ["file_url"], "file_url LIKE %s AND attached_to_name IS NOT NULL", (LIKE,))
	return {key for (address,) in found if (key := files.key_in(address))} & keys


def of_documents(doctype: str, names: Collection[str]) -> set[tuple[str, str]]:
	"""{(document, key)} of the Files of documents; nothing for a DocType whose attachments are not synced."""
	entity = registry().by_doctype.get(doctype)
	if entity is None or not entity.attachments:
		return set()
	where = "attached_to_doctype = %s AND COALESCE(attached_to_field, '') = ''"
	columns = ["attached_to_name", "file_url"]
	found = sql.select_in("File", columns, "attached_to_name", names, where, (doctype,))
	return {(str(name), key) for name, address in found if (key := files.key_in(address or ""))}
