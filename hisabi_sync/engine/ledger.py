"""The ledger: a Sync Item for every op, unique by device and op id, written in the transaction that applies the op.

So an op that is sent again finds its answer. Sync Batch holds a row for each push.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import frappe
from frappe import _

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities import contracts
from hisabi_sync.engine.model import clock, ids, strict_json
from hisabi_sync.engine.model.change import ACCEPTED, ERROR, Caller, Change, Outcome, shortened
from hisabi_sync.engine.model.entity_type import SENSITIVE
from hisabi_sync.engine.model.errors import ITEM_ERRORS, item_message
from hisabi_sync.engine.model.texts import LONG, plain
from hisabi_sync.engine.sharing import visibility
from hisabi_sync.engine.store.write import STANDARD

if TYPE_CHECKING:
	from hisabi_sync.engine.push import Options, Result
	from hisabi_sync.engine.repeats import Seen

COLUMNS = (
	"batch position space device user op_id op_key fingerprint entity_type client_id operation base_version payload "
	"status failed error_code error_message result doc_version record attempts"
).split()
BATCH = (
	"space device user contract items accepted duplicates conflicts errors duration_ms clock_skew_ms first_sequence last_sequence atomic"
).split()
# Fields of an Outcome that an item has columns for. `result` keeps what the columns do not say: most of it would be twice.
IN_COLUMNS = {name: name for name in ("status", "entity_type", "client_id", "doc_version")} | {
	"record_name": "record"
}
COUNTED = {"accepted": "accepted", "duplicate": "duplicates", "conflict": "conflicts", "error": "errors"}
DEFAULTS = asdict(Outcome(""))
NOT_IN_COLUMNS = [
	(name, default) for name, default in DEFAULTS.items() if name not in {*IN_COLUMNS, "repeated"}
]
SECRETS = re.compile(f'"(?:{"|".join(sorted(SENSITIVE))})"')  # as names in a JSON text
ANSWER = [*IN_COLUMNS.values(), "result"]
CHANGE = ("position", "op_id", "entity_type", "client_id", "operation")  # of a Change, in its order
# Made once: an encoder costs more to make than most items cost to encode.
TEXT = strict_json.Encoder(ensure_ascii=False, allow_nan=False, default=str)
CANONICAL = json.JSONEncoder(sort_keys=True, default=str, separators=(",", ":"))


def fingerprint(*parts: Any) -> str:
	"""Hash of the parts of a change. A second use of its op id for another change has another one."""
	return ids.digest(CANONICAL.encode(parts), size=16)


def encode(outcome: Outcome, in_columns: Iterable[Any]) -> str:
	"""JSON of the parts of an outcome that the item's columns do not hold; `in_columns` are those columns, in the order of IN_COLUMNS.

	A document that is named like the record has `true` for its name.
	"""
	said = {
		n: value for n, by in zip(IN_COLUMNS, in_columns, strict=True) if (value := getattr(outcome, n)) != by
	}
	said |= {n: value for n, default in NOT_IN_COLUMNS if (value := getattr(outcome, n)) != default}
	if said.get("document_name") == outcome.client_id:
		said["document_name"] = (
			True  # so that the texts of a batch are alike, and are sent to the database once
		)
	return strict_json.text(said, TEXT)


def decode(answer: Sequence[Any], repeated: bool = False) -> Outcome:
	"""The Outcome of an item by its columns of ANSWER."""
	*in_columns, result = answer
	parts = {**dict(zip(IN_COLUMNS, in_columns, strict=True)), **json.loads(result)}
	if parts.get("document_name") is True:
		parts["document_name"] = parts["client_id"]
	return Outcome(**{**DEFAULTS, **parts, "repeated": repeated})


def raw_text(raw: Any) -> str:
	"""JSON of a raw item, for a column."""
	try:
		return strict_json.text(raw, TEXT)
	except RecursionError:  # a body is cut before it is that deep
		return '{"error": "nested too deeply to be kept"}'


def _masked_text(change: Change) -> str:
	text = raw_text(change.raw) if change.text is None else change.text
	return raw_text(masked(change.raw)) if SECRETS.search(text) else text


def _kept_text(caller: Caller, change: Change, outcome: Outcome, earlier: "Seen | None") -> str:
	"""JSON of the raw item for the ledger. Of a large refused one, only as much is kept as the device's budget allows."""
	text = _masked_text(change)
	if outcome.status != ERROR:
		return text
	if outcome.code == "payload_too_large":
		text = shortened(text, len(text.encode("utf-8", "replace")))
	return caller.allowance.failed(text, earlier.size if earlier else None)


def masked(value: Any) -> Any:
	"""The value with `***` for secrets. A change with secrets is refused, but its raw item is kept."""
	if isinstance(value, dict):
		return {key: "***" if key in SENSITIVE else _masked_part(part) for key, part in value.items()}
	return [masked(part) for part in value] if isinstance(value, list) else value


def _masked_part(value: Any) -> Any:
	return masked(value) if isinstance(value, strict_json.CONTAINERS) else value


def save_items(
	batch: str,
	caller: Caller,
	answers: Iterable[tuple[Change, Outcome]],
	seen: Mapping[str, "Seen"],
	now: datetime,
) -> dict[int, str]:
	"""Write the items of a batch: `answers` is a list of (change, outcome) that are not repeats.

	An op that failed before keeps its item, in the batch that it first arrived in. Returns {index of the change: name of
	its Sync Item}.
	"""
	rows: dict[bool, list[tuple[Any, ...]]] = {True: [], False: []}
	names: dict[int, str] = {}
	for change, outcome in answers:
		key = ids.op_key(change.op_id) if change.op_id else None
		earlier = seen.get(key) if key else None
		row = _item_row(batch, caller, change, outcome, key, earlier, now)
		rows[earlier is None].append(row)
		names[change.index] = row[0]
	columns = [*STANDARD, *COLUMNS]
	sql.insert("Sync Item", columns, rows[True])
	sql.upsert("Sync Item", columns, rows[False])
	return names


def _item_row(
	batch: str,
	caller: Caller,
	change: Change,
	outcome: Outcome,
	key: str | None,
	earlier: "Seen | None",
	now: datetime,
) -> tuple[Any, ...]:
	entity_type, client_id = plain(change.entity_type), plain(change.client_id)
	in_columns = (outcome.status, entity_type, client_id, outcome.doc_version, outcome.record_name)
	return (
		earlier.name if earlier else ids.new(),
		now,
		now,
		caller.user,
		caller.user,
		earlier.batch if earlier else batch,
		earlier.position if earlier else change.index,
		caller.space,
		caller.device,
		caller.user,
		plain(change.op_id) or None,
		key,
		change.fingerprint,
		entity_type,
		client_id,
		plain(change.operation),
		None if change.base_version is None else plain(str(change.base_version)),
		_kept_text(caller, change, outcome, earlier),
		outcome.status,
		*_trouble(outcome),
		encode(outcome, in_columns),
		outcome.doc_version,
		outcome.record_name,
		earlier.attempts + 1 if earlier else 1,
	)


def _trouble(outcome: Outcome) -> tuple[int, str | None, str]:
	"""(whether somebody has to look at the item, its code, its sentence)."""
	if outcome.left_undone:
		sentence = _sentence(
			outcome.left_undone["code"], {"left_undone": outcome.left_undone}, _site_language()
		)
		return 1, outcome.left_undone["code"], sentence
	said = plain(outcome.said(_site_language()), LONG) if outcome.code else ""
	return int(outcome.status == ERROR), outcome.code, said


def _sentence(code: str, held: Mapping[str, Any], language: str | None = None) -> str:
	"""The sentence for a code by the parts of the outcome that brought it, safe to show in a page."""
	about = held.get("left_undone") or held
	said = item_message(code, about.get("detail"), about.get("words"), language)
	if "left_undone" in held:
		kept = _("The action {0} was refused, and the rest was kept: {1}", language)
		said = kept.format(about["action"], said)
	return plain(said, LONG)  # it names fields as a device has called them


def _site_language() -> str:
	"""The language of stored sentences; the user who pushes may have another one."""
	return frappe.get_system_settings("language") or "en"


def message_of(row: frappe._dict) -> str:
	"""The sentence for a stored item's error in the reader's language, safe to show in a page.

	`row` has `error_code`, `error_message` and `result`.
	"""
	load_codes()
	if row.error_code not in ITEM_ERRORS:
		return row.error_message
	return _sentence(row.error_code, json.loads(row.result or "{}"))


def load_codes() -> None:
	"""Import all contracts. A stored code may belong to one that this process has not imported yet."""
	contracts.contracts()


def save_batch(result: "Result", caller: Caller, options: "Options", duration_ms: int) -> None:
	"""Write the Sync Batch with the counts of its outcomes and the numbers that it took.

	Its `creation` is the time of numbering; `positions.before` relies on that.
	"""
	counts = dict.fromkeys(COUNTED.values(), 0)
	for outcome in result.outcomes:
		counts[COUNTED[outcome.status]] += 1
	now, count = clock.now(), len(result.outcomes)
	row = (result.batch, now, now, caller.user, caller.user, caller.space, caller.device, caller.user)
	numbers = (result.before + 1, result.position) if result.position > result.before else (None, None)
	tail = (*counts.values(), duration_ms, options.skew_ms, *numbers, int(options.atomic))
	sql.insert("Sync Batch", [*STANDARD, *BATCH], [(*row, options.contract, count, *tail)])


def stored(caller: Caller, op_ids: Iterable[str]) -> dict[str, tuple[Change, Outcome]]:
	"""{op key: (Change, Outcome)} of a device's ops in a space as they were answered, failed ones included."""
	found = stored_anywhere(caller.device, op_ids, caller.user, [caller.space], "space = %s", [caller.space])
	return {key: (change, outcome) for key, (change, outcome, _) in found.items()}


def stored_anywhere(
	device: str | None,
	op_ids: Iterable[str],
	user: str,
	spaces: Collection[str],
	where: str = "1 = 1",
	values: Iterable[Any] = (),
) -> dict[str, tuple[Change, Outcome, str]]:
	"""{op key: (Change, Outcome, space)} of a device's ops. Records are shown as the user may see them, those of `spaces` at most."""
	load_codes()
	keys = sorted({ids.op_key(op_id) for op_id in op_ids})
	columns = ["op_key", "space", "fingerprint", *CHANGE, *ANSWER]
	rows = sql.select_in("Sync Item", columns, "op_key", keys, f"device = %s AND {where}", (device, *values))
	found = {row[0]: (*as_answered(row[3:8], decode(row[8:])), row[1]) for row in rows}
	for row in rows:
		found[row[0]][0].fingerprint = row[2]
	for _change, outcome, space in found.values():
		if space not in spaces:
			outcome.record = None
	visibility.cut_answers([outcome for _, outcome, _ in found.values()], user)
	return found


def attempts(device: str, op_ids: Iterable[str]) -> list[int]:
	"""How often each of a device's ops was tried, of those that are kept."""
	keys = sorted({ids.op_key(op_id) for op_id in op_ids})
	return [
		row[0] for row in sql.select_in("Sync Item", ["attempts"], "op_key", keys, "device = %s", [device])
	]


def applied(device: str, op_ids: Iterable[str]) -> set[str]:
	"""Those of a device's ops that were applied, of those that are kept."""
	keys = {ids.op_key(op_id): op_id for op_id in op_ids}
	where = "device = %s AND status = %s"
	rows = sql.select_in("Sync Item", ["op_key"], "op_key", sorted(keys), where, [device, ACCEPTED])
	return {keys[row[0]] for row in rows}


def newest_versions(device: str, records: Iterable[str]) -> dict[str, int]:
	"""{record: the newest of its versions that a device made, after the first one}."""
	columns = ["record", "MAX(doc_version)"]
	rows = sql.select_in(
		"Sync Version", columns, "record", sorted(set(records)), "device = %s", [device], "GROUP BY record"
	)
	return {record: int(version) for record, version in rows}


def as_answered(columns: Iterable[Any], outcome: Outcome) -> tuple[Change, Outcome]:
	"""(Change, Outcome): the columns show plain texts, the outcome has what the device had sent."""
	change = Change(*columns, payload={})  # type: ignore[misc]  # they are those of CHANGE
	change.entity_type, change.client_id = outcome.entity_type, outcome.client_id
	return change, outcome


def of_batch(batch: str) -> list[tuple[str, Change, Outcome]]:
	"""[(name of the Sync Item, Change, Outcome)] of a batch in its order, as they were answered last.

	Records are shown as the signed-in user may see them.
	"""
	load_codes()
	columns = ["name", *CHANGE, "payload", *ANSWER]
	rows = sql.select("Sync Item", columns, "batch = %s", (batch,), "ORDER BY position")
	found = []
	for row in rows:
		change = Change(*row[1:6], payload={}, raw=json.loads(row[6]))  # type: ignore[misc]  # CHANGE
		found.append((row[0], change, decode(row[7:])))
	visibility.cut_answers([outcome for _, _, outcome in found], frappe.session.user)
	return found
