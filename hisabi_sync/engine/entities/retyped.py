"""Fields that changed between types of text: their columns are written again in the form of the new type.

Plain text is stored in the form of `texts.encode`, other texts are not, so each column has to be read in the form in which
it was written. That form is kept with the version of the entity types. After a change of the type, the next reconciliation
writes each row that is older than the change once more.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

import frappe

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import clock, fields, strict_json, texts
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.fields import Field

State = dict[str, dict[str, Any]]  # {"forms": {path: form}, "waiting": {path: {"form", "since", "after"}}}
Waiting = dict[str, dict[str, str]]
PREFIX = "forms "
TEXT, HTML, JSON, CHOICE = "text", "html", "json", "choice"
FORMS = ((fields.TEXT, TEXT), (fields.HTML, HTML), (fields.JSON, JSON), (fields.CHOICE, CHOICE))


def note(entities: Iterable[EntityType]) -> list[str]:
	"""Keep the forms that columns have from now on; names of the entity types with columns to be written again.

	Part of the transaction that changes the definitions.
	"""
	states = {
		name.removeprefix(PREFIX): json.loads(value) for name, value in _rows("field LIKE %s", f"{PREFIX}%")
	}
	found = []
	for entity in entities:
		state: State = states.get(entity.name) or {"forms": {}, "waiting": {}}
		forms = _forms(entity)
		changed = {path for path, form in forms.items() if state["forms"].get(path, form) != form}
		for path in changed:
			state["waiting"][path] = _wait(state, path)
		if not forms.items() <= state["forms"].items():
			state["forms"].update(forms)
			_keep(entity, state)
		if changed:
			found.append(entity.name)
	return found


def _wait(state: State, path: str) -> dict[str, str]:
	"""The entry for a changed column. If rewriting an earlier change has not begun, its old form still counts."""
	earlier = state["waiting"].get(path)
	untouched = earlier and not earlier["after"]
	return {
		"form": earlier["form"] if earlier and untouched else state["forms"][path],
		"since": str(clock.now()),
		"after": "",
	}


def _forms(entity: EntityType) -> dict[str, str]:
	"""{path: form} of the columns that hold texts in one of the forms."""
	own = [(field.name, field) for field in entity.columns]
	own += [(f"{table.name}.{column.name}", column) for table in entity.tables for column in table.columns]
	return {path: form for path, field in own if (form := _form(field))}


def _form(field: Field) -> str | None:
	return next((form for kind, form in FORMS if field.kind is kind), None)


def waiting(entity: EntityType) -> Waiting:
	"""{path: the old form, when it changed, and the last document that was rewritten}."""
	return _state(entity)["waiting"]


def rewrite(entity: EntityType, names: list[str], begun: Waiting) -> None:
	"""Rewrite the columns that were waiting when the reconciliation began, for a chunk of documents, which are locked."""
	sql.select_in(entity.doctype, ["name"], "name", names, tail="ORDER BY name FOR UPDATE")
	state = _state(entity, "FOR UPDATE")
	for path, wait in state["waiting"].items():
		if _is_same(wait, begun.get(path)):
			_rewrite_one(entity, path, wait, names)
	_keep(entity, state)


def finish(entity: EntityType, begun: Waiting) -> None:
	"""Remove the entries of a reconciliation that has seen all documents."""
	if not begun:
		return
	state = _state(entity, "FOR UPDATE")
	left = {path: wait for path, wait in state["waiting"].items() if not _is_same(wait, begun.get(path))}
	_keep(entity, {**state, "waiting": left})


def _is_same(wait: dict[str, str], begun: dict[str, str] | None) -> bool:
	return begun is not None and wait["since"] == begun["since"]


def _rewrite_one(entity: EntityType, path: str, wait: dict[str, str], names: list[str]) -> None:
	rows = sql.select_in(
		entity.doctype, ["name"], "name", names, "name > %s", (wait["after"],), "ORDER BY name"
	)
	fresh = [row[0] for row in rows]
	if not fresh:
		return
	wait["after"] = str(fresh[-1])
	name, _, column = path.partition(".")
	field = entity.fields.get(name)
	if field and column:
		own = next((one for one in field.columns if one.name == column), None)
		where, values = "parenttype = %s AND parentfield = %s AND ", (entity.doctype, name)
		if own:
			_rewrite_column(field.options, own, wait, ("parent", fresh, where, values))
	elif field:
		_rewrite_column(entity.doctype, field, wait, ("name", fresh, "", ()))


def _rewrite_column(
	doctype: str, field: Field, wait: dict[str, str], which: tuple[str, list[str], str, tuple[str, ...]]
) -> None:
	key, keys, where, values = which
	old, columns = f"{where}modified <= %s", ["name", sql.quote(field.name)]
	rows = sql.select_in(doctype, columns, key, keys, old, (*values, wait["since"]), "FOR UPDATE")
	for name, value in rows:
		if isinstance(value, str) and (new := written(value, wait["form"], field)) != value:
			sql.update_in(doctype, {field.name: new}, [name])


def written(text: str, form: str, field: Field) -> str:
	"""The text of a column in the form of the field's type, from a text in another form."""
	after = _form(field)
	if form != TEXT:
		return _as_text(text, field) if after == TEXT else text
	return OF_TEXT[after](text, field) if after in OF_TEXT else text


def _as_text(text: str, field: Field) -> str:
	"""The same characters; if their form is too long for the column, a text that looks alike."""
	new = texts.encode(text)
	return new if len(new) <= field.length else texts.look_alike(text, quotes=True)


def _as_html(text: str, field: Field) -> str:
	new = texts.as_html(text)
	return text if new == text else fields.stored_text(field.fieldtype, new, field.is_title)


def _as_json(text: str, field: Field) -> str:
	try:
		return strict_json.column(strict_json.parse(texts.decode(text)))
	except ValueError:
		return text


OF_TEXT: dict[str | None, Callable[[str, Field], str]] = {
	HTML: _as_html,
	JSON: _as_json,
	CHOICE: lambda held, _: texts.decode(held),
}


# --- where it is kept


def _rows(where: str, value: str, tail: str = "") -> Any:
	return frappe.db.sql(
		f"SELECT field, value FROM `tabSingles` WHERE doctype = 'Sync Entity' AND {where} {tail}",  # noqa: S608
		(value,),
	)


def _state(entity: EntityType, tail: str = "") -> State:
	rows = _rows("field = %s", PREFIX + entity.name, tail)
	return json.loads(rows[0][1]) if rows else {"forms": {}, "waiting": {}}


def _keep(entity: EntityType, state: State) -> None:
	key = PREFIX + entity.name
	frappe.db.sql("DELETE FROM `tabSingles` WHERE doctype = 'Sync Entity' AND field = %s", (key,))
	frappe.db.sql(
		"INSERT INTO `tabSingles` (doctype, field, value) VALUES ('Sync Entity', %s, %s)",
		(key, json.dumps(state)),
	)
