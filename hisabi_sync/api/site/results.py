"""From outcomes to the results of a site push. Source: docs/contracts/site.md, Results."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from hisabi_sync.api.protocol.item_reader import is_retryable
from hisabi_sync.api.site import records, sides
from hisabi_sync.engine import attachments
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model.change import ACCEPTED, CONFLICT, DUPLICATE, ERROR, Change, Outcome
from hisabi_sync.engine.model.errors import item_message
from hisabi_sync.engine.sharing import whereabouts

Answer = tuple[Change, Outcome, str | None]  # with its space


def results(answers: Sequence[Answer], user: str, spaces: Collection[str]) -> list[dict[str, Any]]:
	"""One result for each, in their order. Conflicts are shown of `spaces`, those of the user."""
	conflicts = [outcome.conflict for _, outcome, _ in answers if outcome.conflict]
	shown_conflicts = sides.by_conflict(conflicts, user, spaces)
	shared = whereabouts.shared(filter(None, map(_document, answers)), user)
	shown = [result(*answer, shown_conflicts, _lies_in(answer, shared)) for answer in answers]
	_add_files(
		[(answer, told["record"]) for answer, told in zip(answers, shown, strict=True) if told.get("record")],
		user,
	)
	return shown


def _lies_in(answer: Answer, shared: Mapping[tuple[str, str], Sequence[str]]) -> Sequence[str] | None:
	"""The spaces of a record that several share, and those of any record that a dry run looked at; None if its space is as it was."""
	tried = answer[1].spaces
	return shared.get(_document(answer) or ("", "")) if tried is None else tried


def _add_files(shown: Sequence[tuple[Answer, dict[str, Any]]], user: str) -> None:
	"""Add to the records their `attachments`; those of a dry run are in the outcome."""
	keys = {key for answer, _ in shown if answer[1].spaces is None and (key := _document(answer))}
	stored = attachments.of_documents(keys)
	for answer, record in shown:
		outcome = answer[1]
		found = stored.get(_document(answer) or ("", "")) if outcome.spaces is None else outcome.attachments
		record |= records.files(found, user)


def _document(answer: Answer) -> tuple[str, str] | None:
	"""(entity type, document) of a change that was applied or is in conflict."""
	change, outcome, _ = answer
	if outcome.status == ERROR or not outcome.document_name:
		return None
	return change.entity_type, outcome.document_name


def result(
	change: Change,
	outcome: Outcome,
	space: str | None,
	shown_conflicts: Mapping[str, Mapping[str, Any]],
	lies_in: Sequence[str] | None = None,
) -> dict[str, Any]:
	"""The result of one change; `shown_conflicts` are {conflict: the sides of its fields}, `lies_in` the spaces of its record, None for `space` alone."""
	answer = {
		"op_id": change.op_id,
		"type": change.entity_type,
		"id": change.client_id,
		"status": outcome.status,
		"space": space or None,
		**({"spaces": [*lies_in]} if lies_in and len(lies_in) > 1 else {}),
		**_versions(change, outcome, ([space] if space else []) if lies_in is None else lies_in),
		**_refusal(outcome),
		**({"warnings": outcome.warnings} if outcome.warnings else {}),
		**({"already_applied": True} if outcome.repeated and outcome.status != ERROR else {}),
	}
	if outcome.status == CONFLICT:
		answer["conflict"] = _conflict(change, outcome, shown_conflicts)
	return answer


def _versions(change: Change, outcome: Outcome, spaces: Sequence[str]) -> dict[str, Any]:
	"""What the server holds now, of a change that was applied or is in conflict."""
	if outcome.status == ERROR:
		return {}
	shows = outcome.merged or outcome.adjusted or outcome.status == CONFLICT or outcome.record is not None
	undone = outcome.left_undone
	return {
		"version": outcome.doc_version,
		**({"name": outcome.document_name} if outcome.document_name else {}),
		**({"merged": True} if outcome.merged and outcome.status in (ACCEPTED, DUPLICATE) else {}),
		**({"adjusted": _outward(outcome.adjusted, change)} if outcome.adjusted else {}),
		**({"record": _record(change, outcome, spaces)} if shows else {}),
		**({"left_undone": _left_undone(undone)} if undone else {}),
	}


def _record(change: Change, outcome: Outcome, spaces: Sequence[str]) -> dict[str, Any] | None:
	entity = registry().by_name.get(change.entity_type)
	if outcome.record is None or entity is None:
		return None
	return {
		"type": change.entity_type,
		"id": change.client_id,
		"spaces": [*spaces],
		**({"name": outcome.document_name} if outcome.document_name else {}),
		"version": outcome.doc_version,
		"modified": outcome.server_modified,
		**records.shown(outcome.record, entity),
	}


def _left_undone(undone: Mapping[str, Any]) -> dict[str, Any]:
	code = undone["code"]
	return {
		"action": undone["action"],
		"code": code,
		"message": item_message(code, undone["detail"], undone["words"]),
	}


def _refusal(outcome: Outcome) -> dict[str, Any]:
	"""Why a change was not applied."""
	if outcome.status not in (ERROR, CONFLICT):
		return {}
	code = outcome.code or "base_version_conflict"
	message = outcome.message or item_message(code)
	answer: dict[str, Any] = {"code": code, "message": message}
	if outcome.status == ERROR:
		answer |= {"detail": detail(outcome, message), "retryable": is_retryable(outcome)}
	return answer


def detail(outcome: Outcome, message: str) -> list[dict[str, Any]]:
	"""What is wrong, one entry for each field; without a field where it concerns the change as a whole."""
	code, named = outcome.code or "", list(_fields(outcome))
	if not named:
		return [_line(None, code, message)] if outcome.detail is not None else []
	return [_line(name, code, item_message(code, [name], outcome.words)) for name in named]


def _fields(outcome: Outcome) -> Iterable[str]:
	"""The names that an outcome's detail has: of fields, or of columns as `items.rate`."""
	named_fields, entity = outcome.detail, registry().by_name.get(outcome.entity_type)
	if isinstance(named_fields, list):
		named = [name for name in named_fields if isinstance(name, str)]
		return [entity.outward(name) for name in named] if entity else named
	own_fields = entity.fields if entity else {}
	described = named_fields if isinstance(named_fields, dict) else {}
	own = [name for name in described if str(name).partition(".")[0] in own_fields]
	return [entity.outward(name) for name in own] if entity else own


def _outward(names: Iterable[str], change: Change) -> list[str]:
	"""Names of fields as the app has them."""
	entity = registry().by_name.get(change.entity_type)
	return [entity.outward(name) if entity else name for name in names]


def _line(field: str | None, code: str, message: str) -> dict[str, Any]:
	return {"field": field, "row": None, "code": code, "message": message}


def _conflict(
	change: Change, outcome: Outcome, shown_conflicts: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
	"""Both sides of a conflict by field. Where it is not stored, in a dry run, what was sent is the device's side."""
	found = shown_conflicts.get(outcome.conflict or "")
	if found is None:
		found = _tried(change, outcome)
	return {"id": outcome.conflict, "fields": found}


def _tried(change: Change, outcome: Outcome) -> dict[str, Any]:
	if outcome.record is None:
		return {}
	sent = change.raw.get("values") if isinstance(change.raw, dict) else None
	sent = sent if isinstance(sent, dict) else {}
	names, found = outcome.conflict_fields or [], {}
	for name, own in zip(names, _outward(names, change), strict=True):
		said = [sent[known] for known in (own, name) if known in sent]
		found[own] = {"server": outcome.record.get(name), **({"device": said[0]} if said else {})}
	return found
