"""The memory of every op: Sync Item, unique by device and op id, written in the transaction that applies it."""

import json
from dataclasses import asdict
from functools import lru_cache

from hisabi_sync.engine import clock, ids, sql, strict_json
from hisabi_sync.engine.change import ERROR, Change, Outcome
from hisabi_sync.engine.entity_type import SENSITIVE
from hisabi_sync.engine.write import STANDARD

COLUMNS = (
	"batch position space device user op_id op_key fingerprint entity_type client_id operation base_version payload "
	"status error_code error_message result doc_version record attempts"
).split()
BATCH = (
	"space device user contract items accepted duplicates conflicts errors duration_ms clock_skew_ms first_sequence last_sequence atomic"
).split()
# Fields of an Outcome that an item has columns for. `result` keeps what the columns do not say: most of it would be twice.
HELD = {name: name for name in ("status", "entity_type", "client_id", "doc_version")} | {
	"record_name": "record"
}
MESSAGE = 1000  # characters of an error message that are kept
COUNTED = {"accepted": "accepted", "duplicate": "duplicates", "conflict": "conflicts", "error": "errors"}
DEFAULTS = asdict(Outcome(""))
SEEN = "name op_key fingerprint attempts space batch position".split()
ANSWER = [*HELD.values(), "result"]
CHANGE = ("position", "op_id", "entity_type", "client_id", "operation")  # of a Change, in its order
# Made once: an encoder costs more to make than most items cost to encode.
TEXT = json.JSONEncoder(ensure_ascii=False, default=str)
CANONICAL = json.JSONEncoder(sort_keys=True, default=str, separators=(",", ":"))


class Seen:
	"""An op that the ledger holds. `answered` says that its first answer is repeated."""

	def __init__(self, row):
		for name, value in zip(SEEN, row, strict=False):
			setattr(self, name, value)
		self._answer = row[len(SEEN) :]
		self.answered = self._answer[0] != ERROR

	def outcome(self):
		return decode(self._answer, repeated=True)


@lru_cache(maxsize=1024)  # each op of a batch is looked up several times
def op_key(op_id):
	return ids.digest(op_id, size=16)


def fingerprint(*parts):
	"""Hash of what a change says, by which a second use of its op id for something else is noticed."""
	return ids.digest(CANONICAL.encode(parts), size=16)


def load(device, op_ids):
	"""{op key: Seen} of the ops of a device; failed ones are locked, because they may be judged again."""
	columns = [*SEEN, *ANSWER]
	keys = sorted({op_key(op_id) for op_id in op_ids})
	rows = sql.select_in("Sync Item", columns, "op_key", keys, "device = %s", (device,))
	seen = [Seen(row) for row in rows]
	failed = sorted(op.name for op in seen if not op.answered)
	again = sql.select_in("Sync Item", columns, "name", failed, tail="ORDER BY name FOR UPDATE")
	return {op.op_key: op for op in (*seen, *map(Seen, again))}


def encode(outcome, held):
	"""Text of what the item's columns, in the order of HELD, do not say of an outcome."""
	known = {**DEFAULTS, **dict(zip(HELD, held, strict=True)), "repeated": outcome.repeated}
	return TEXT.encode({n: value for n, said in known.items() if (value := getattr(outcome, n)) != said})


def decode(answer, repeated=False):
	"""The Outcome of an item by its columns of ANSWER."""
	*held, result = answer
	known = dict(zip(HELD, held, strict=True))
	return Outcome(**{**DEFAULTS, **known, **json.loads(result), "repeated": repeated})


def plain(text, length=140):
	"""Text for a column that the Desk shows: cut, and without what could begin a tag."""
	return str(text or "")[:length].replace("<", "‹").replace(">", "›")


def _raw_text(raw):
	try:
		return TEXT.encode(masked(raw))
	except RecursionError:
		return '{"error": "nested too deeply to be kept"}'


def masked(value):
	"""What a device sent without secrets, which do not belong there and are refused."""
	if isinstance(value, dict):
		return {key: "***" if key in SENSITIVE else _masked_part(part) for key, part in value.items()}
	return [masked(part) for part in value] if isinstance(value, list) else value


def _masked_part(value):
	return masked(value) if isinstance(value, strict_json.CONTAINERS) else value


def save_items(batch, caller, answers, seen, now):
	"""Write the items of a batch: `answers` is a list of (change, outcome) that are not repeats.

	An op that failed before stays an item of the batch that it arrived in. Returns {index of the change: name of its Sync
	Item}.
	"""
	rows, names = {True: [], False: []}, {}
	for change, outcome in answers:
		key = op_key(change.op_id) if change.op_id else None
		known = seen.get(key) if key else None
		row = _item_row(batch, caller, change, outcome, key, known, now)
		rows[known is None].append(row)
		names[change.index] = row[0]
	columns = [*STANDARD, *COLUMNS]
	sql.insert("Sync Item", columns, rows[True])
	sql.upsert("Sync Item", columns, rows[False])
	return names


def _item_row(batch, caller, change, outcome, key, known, now):
	entity_type, client_id = plain(change.entity_type), plain(change.client_id)
	held = (outcome.status, entity_type, client_id, outcome.doc_version, outcome.record_name)
	return (
		known.name if known else ids.new(),
		now,
		now,
		caller.user,
		caller.user,
		known.batch if known else batch,
		known.position if known else change.index,
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
		_raw_text(change.raw),
		outcome.status,
		outcome.code,
		plain(outcome.message, MESSAGE),
		encode(outcome, held),
		outcome.doc_version,
		outcome.record_name,
		known.attempts + 1 if known else 1,
	)


def save_batch(result, caller, options, duration_ms):
	"""Write the batch's own row with the counts of its outcomes and the numbers that it took.

	Its creation is the moment of numbering; `positions.before` relies on that.
	"""
	counts = dict.fromkeys(COUNTED.values(), 0)
	for outcome in result.outcomes:
		counts[COUNTED[outcome.status]] += 1
	now, count = clock.now(), len(result.outcomes)
	row = (result.batch, now, now, caller.user, caller.user, caller.space, caller.device, caller.user)
	numbers = (result.before + 1, result.position) if result.position > result.before else (None, None)
	tail = (*counts.values(), duration_ms, options.skew_ms, *numbers, int(options.atomic))
	sql.insert("Sync Batch", [*STANDARD, *BATCH], [(*row, options.contract, count, *tail)])


def stored(caller, op_ids):
	"""{op key: (Change, Outcome)} of a device's ops in a space as they were answered, failed ones included."""
	keys = sorted({op_key(op_id) for op_id in op_ids})
	where = "device = %s AND space = %s"
	columns = ["op_key", *CHANGE, *ANSWER]
	rows = sql.select_in("Sync Item", columns, "op_key", keys, where, (caller.device, caller.space))
	return {row[0]: (Change(*row[1:6], payload={}), decode(row[6:])) for row in rows}


def of_batch(batch):
	"""[(name of the Sync Item, Change, Outcome)] of a batch in its order, as they were answered last."""
	columns = ["name", *CHANGE, "payload", *ANSWER]
	rows = sql.select("Sync Item", columns, "batch = %s", (batch,), "ORDER BY position")
	return [(row[0], Change(*row[1:6], payload={}, raw=json.loads(row[6])), decode(row[7:])) for row in rows]
