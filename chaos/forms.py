"""A DocType of the lab's own with photos and a table, made syncable and redefined as people do it in the Desk."""

from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chaos import photos
from chaos.caller import Caller
from chaos.line import Lost
from chaos.work import FORM
from hisabi_sync.engine.model import files, ids, texts

if TYPE_CHECKING:
	from chaos.lab import Lab
	from chaos.look import Held

PAGE = f"{FORM} Page"
PATH = f"/api/resource/DocType/{quote(FORM)}"
OPTIONS, PAUSED = "\nOpen\nClosed", "\nPaused"
OWN = {"remark": "Data", "weather": "Data", "state": "Select", "photo": "Attach Image"}
# Columns that devices write to; some are there only after an edit of the DocType.
COLUMNS = (*OWN, "comment", "extra")


# --- made before the run


def prepare(frappe: ModuleType) -> None:
	"""The DocType with its table, and its entity type."""
	page = [{"fieldname": "photo", "fieldtype": "Attach Image", "label": "Photo"}]
	_doctype(frappe, PAGE, page, istable=1)
	table = {"fieldname": "pages", "fieldtype": "Table", "options": PAGE, "label": "Pages"}
	fields = [_field(name, kind) for name, kind in {"wallet": "Data", **OWN}.items()]
	rights = {"role": "System Manager", "read": 1, "write": 1, "create": 1, "delete": 1}
	_doctype(frappe, FORM, as_made([*fields, table]), autoname="hash", permissions=[rights])
	place = {"space_type": "wallet", "space_path": "wallet", "check_permissions": 0}
	frappe.get_doc({"doctype": "Sync Entity", "entity_type": FORM, "document_type": FORM, **place}).insert()


def _field(name: str, kind: str) -> dict[str, Any]:
	return {"fieldname": name, "fieldtype": kind, "label": name.title()}


def _doctype(frappe: ModuleType, name: str, fields: list[dict[str, Any]], **values: Any) -> None:
	about = {"doctype": "DocType", "name": name, "module": "Desk", "custom": 1, "fields": fields}
	frappe.get_doc({**about, **values}).insert()


# --- edited while devices are away: each takes the fields and gives them as they are to be


def _demand(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
	"""A field becomes mandatory, or optional again."""
	return [{**f, "reqd": int(not f.get("reqd"))} if f["fieldname"] == "weather" else f for f in fields]


def _choices(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
	"""A choice comes or goes."""
	return [_toggled(field) if field["fieldname"] == "state" else field for field in fields]


def _toggled(field: dict[str, Any]) -> dict[str, Any]:
	options = field["options"]
	return {**field, "options": options.replace(PAUSED, "") if PAUSED in options else options + PAUSED}


def _rename(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
	other = {"remark": "comment", "comment": "remark"}
	return [{**field, "fieldname": other.get(field["fieldname"], field["fieldname"])} for field in fields]


def _add(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
	"""A field comes, or goes with what it held."""
	left = [field for field in fields if field["fieldname"] != "extra"]
	return left if len(left) < len(fields) else [*fields, _field("extra", "Data")]


EDITS = {
	"demand a field": _demand,
	"change choices": _choices,
	"rename a field": _rename,
	"add a field": _add,
}


def as_made(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
	"""The fields as they were in the beginning."""
	first: dict[str, dict[str, Any]] = {
		"weather": {"reqd": 0},
		"state": {"options": OPTIONS},
		"comment": {"fieldname": "remark"},
	}
	return [{**f, **first.get(f["fieldname"], {})} for f in fields if f["fieldname"] != "extra"]


def redefine(lab: "Lab", desk: Caller, names: Iterable[str]) -> bool:
	"""Somebody opens the DocType, edits its fields and saves it; whether it was saved."""
	with lab.defining:
		opened = desk.insist(PATH, verb="GET", sure=True)
		if opened.status != 200:
			return False
		lab.journal.note("definition", edits=names)
		fields = opened.body["data"]["fields"]
		for name in names:
			fields = EDITS.get(name, as_made)(fields)
		window = lab.journal.edit_begins()
		try:
			answer = desk.call(PATH, {"fields": fields}, verb="PUT", sure=True)
		except Lost:
			return False
		finally:
			lab.journal.edit_ends(window)
		lab.journal.note("definition answered", edits=names, status=answer.status)
		return answer.status == 200


# --- looked at


def read(rows: Callable[..., Sequence[tuple[Any, ...]]], space: str, held: "Held") -> None:
	"""Add the documents of a space to a Held, and those that have no record."""
	known = {row[0] for row in rows(f"SHOW COLUMNS FROM `tab{FORM}`")}
	columns = [column for column in COLUMNS if column in known]
	chosen = ", ".join(f"d.`{column}`" for column in columns)
	query = f"""SELECT r.client_id, {chosen} FROM `tab{FORM}` d JOIN `tabSync Record` r
		ON r.document_name = d.name AND r.entity_type = %s WHERE r.space = %s AND r.deleted_at IS NULL"""  # noqa: S608
	for client_id, *values in rows(query, (FORM, ids.space("wallet", space))):
		record = held.records[FORM, client_id]
		record.values = dict(zip(columns, map(outward, values), strict=True))
		record.document_version = record.version
	query = f"""SELECT d.name FROM `tab{FORM}` d LEFT JOIN `tabSync Record` r ON r.document_name = d.name
		AND r.entity_type = %s AND r.deleted_at IS NULL WHERE d.wallet = %s AND r.name IS NULL"""  # noqa: S608
	held.orphans += [(FORM, row[0]) for row in rows(query, (FORM, space))]
	photos.read(rows, space, held, (FORM, PAGE))


def outward(value: Any) -> Any:
	"""A stored text as devices get it."""
	return files.outward(texts.decode(value)) if value else None
