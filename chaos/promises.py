"""The design's promises, each as a check. Pure: what was sent and answered, beside what the server holds."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from chaos.evidence import Evidence, Written, same
from chaos.journal import APPLIED, Op, Said
from chaos.look import Conflict, Entry, Row
from chaos.violations import PROMISES, Found, Violation, promise
from chaos.work import ACCOUNT, CATEGORY, EDITED, FORM, FORM_TEXTS, TRANSACTION

VERDICTS = (*APPLIED, "conflict")
# Types whose version nothing but devices and people raises.
COUNTED = (TRANSACTION, CATEGORY, FORM)
FIELDS = {kind: (*names, *(() if kind == TRANSACTION else ("icon",))) for kind, names in EDITED.items()}
FIELDS[FORM] = (*FORM_TEXTS, "state", "photo")


def check(evidence: Evidence) -> Iterator[Violation]:
	"""All violations of the promises about one space."""
	for name, function in PROMISES.items():
		for says, keys, ops in function(evidence):
			yield Violation(name, says, evidence.held.space, tuple(keys), tuple(ops))


@promise
def exactly_once(given: Evidence) -> Iterator[Found]:
	"""An op is in the ledger once, is judged once, and makes one version."""
	for op_id, times in Counter(entry.op_id for entry in given.held.ledger).items():
		if times > 1:
			yield f"the ledger has {op_id} {times} times", [given.entries[op_id].key], [op_id]
	for op in given.ops.values():
		judged = [said for said in op.said if said.status in VERDICTS and not said.repeated]
		if len(judged) > 1:
			yield f"{op.op_id} was judged {len(judged)} times", [op.key], [op.op_id]
	for key in list(given.by_key):
		yield from _versions(given, key)


def _versions(given: Evidence, key: tuple[str, str]) -> Iterator[Found]:
	"""Accepted changes of a record make one version each, and where nothing else counts, all of its versions."""
	by_version = defaultdict(list)
	for entry in given.by_key[key]:
		if entry.status == "accepted":
			by_version[entry.version].append(entry)
	ops = [e.op_id for entries in by_version.values() for e in entries]
	if not all(given.made(key, entries) for entries in by_version.values() if len(entries) > 1):
		yield "two changes made the same version", [key], ops
	record = given.held.records.get(key)
	if record and key[0] in COUNTED and key not in given.aged:
		written = {version for version, _, _ in given.written(key) if version and version <= record.version}
		unknown = sum(1 for version, _, _ in given.written(key) if version is None)
		if record.version - len(written) > unknown:
			yield f"{record.version} versions of {len(written)} changes", [key], ops


@promise
def same_answer(given: Evidence) -> Iterator[Found]:
	"""A repeat is answered as the first time."""
	for op in given.ops.values():
		first = op.verdict
		for said in op.said[op.said.index(first) + 1 :] if first else ():
			if said.status in VERDICTS and _answer(said) != _answer(first):
				yield f"{op.op_id}: first {_answer(first)}, then {_answer(said)}", [op.key], [op.op_id]
			if said.status == "error" and said.sent > first.at and not op.aged:
				yield f"{op.op_id}: first {first.status}, then {said.code}", [op.key], [op.op_id]


def _answer(said: Said) -> tuple[str, int | None, str | None]:
	return said.status, said.version, said.conflict


@promise
def kept(given: Evidence) -> Iterator[Found]:
	"""What was answered is in the ledger, and what was accepted is there."""
	for op, verdict in given.answered():
		entry = given.entries.get(op.op_id)
		if entry is None:
			yield f"{op.op_id} was {verdict.status} and the ledger has no trace of it", [op.key], [op.op_id]
		elif (entry.status, entry.version) != (verdict.status, verdict.version):
			says = f"{op.op_id} was told {verdict.status} {verdict.version}, kept is {entry.status} {entry.version}"
			yield says, [op.key], [op.op_id]
		elif verdict.status == "accepted" and not _is_there(given, op.key, verdict.version):
			yield f"version {verdict.version} was accepted and is gone", [op.key], [op.op_id]


def _is_there(given: Evidence, key: tuple[str, str], version: int | None) -> bool:
	record = given.held.records.get(key)
	if record is None:
		return given.held.horizon > 0 and key in given.doomed
	return record.version >= version


@promise
def no_silent_overwrite(given: Evidence) -> Iterator[Found]:
	"""An accepted update has not replaced what somebody else wrote after its base."""
	for op_id, entry in given.entries.items():
		op = given.ops.get(op_id)
		# If part of a record's ledger was cleared, it is unknown what its devices had seen.
		if entry.status != "accepted" or entry.operation != "update" or op is None or entry.key in given.aged:
			continue
		written = given.written(entry.key)
		for version, values, who in _theirs(given, op, written, entry.version):
			if version and op.base < version < entry.version and who != op_id:
				lost = [
					name
					for name in op.payload
					if name in values and _is_lost(written, op, name, values[name])
				]
				if lost:
					yield (
						f"{op_id} overwrote {lost[0]} of {who} (version {version})",
						[entry.key],
						[op_id, who],
					)


def _theirs(given: Evidence, op: Op, written: list[Written], version: int | None) -> list[Written]:
	"""What others wrote: a device is in nobody's way with its own work. Of a value that is judged by what was seen the last."""
	own = {name for name, other in given.ops.items() if other.device == op.device}
	others = [w for w in written if w[2] not in own]
	if not op.seen:
		return others
	before = [w for w in written if w[0] and w[0] < (version or 0) and op.payload.keys() & w[1].keys()]
	last = max(before, key=lambda w: w[0] or 0, default=None)
	return [w for w in others if w is last]


def _is_lost(written: list[Written], op: Op, name: str, value: Any) -> bool:
	"""Whether a value is neither what the op writes nor what its device had seen, as when a conflict ends as it began."""
	seen = [w for w in written if w[0] and w[0] <= (op.base or 0) and name in w[1]]
	known = [op.payload[name], *(w[1][name] for w in sorted(seen, key=lambda w: w[0] or 0)[-1:])]
	return not any(same(value, one) for one in known)


@promise
def last_write(given: Evidence) -> Iterator[Found]:
	"""A record holds what was written to it last, field by field."""
	for key, record in given.held.records.items():
		if record.deleted or record.values is None or key[0] not in FIELDS or key in given.aged:
			continue
		written = given.written(key)
		for name in FIELDS[key[0]]:
			yield from _last(key, record, name, [w for w in written if name in w[1]])


def _last(key: tuple[str, str], record: Row, name: str, written: list[Written]) -> Iterator[Found]:
	"""The value of a field is that of its last write; one without an answer may have come at any time."""
	dated = [w for w in written if w[0] and w[0] <= record.version]
	open_ends = [w for w in written if w[0] is None]
	last = max(dated, key=lambda w: w[0] or 0, default=None)
	allowed = [w[1][name] for w in open_ends] + ([last[1][name]] if last else [None])
	value = (record.values or {}).get(name)
	if not any(same(one, value) for one in allowed):
		says = f"{name} is {value!r}, written last was {allowed[-1]!r}"
		yield says, [key], [w[2] for w in written]


@promise
def conflicts_kept(given: Evidence) -> Iterator[Found]:
	"""A conflict is kept with both sides."""
	for op, verdict in given.answered():
		if verdict.status != "conflict":
			continue
		kept_one = given.held.conflicts.get(verdict.conflict)
		if kept_one is None:
			yield f"the conflict of {op.op_id} is not kept", [op.key], [op.op_id]
		elif not all(same(kept_one.client.get(n), _wanted(op, n)) for n in kept_one.fields if op.payload):
			yield f"the conflict of {op.op_id} has lost what the device wanted", [op.key], [op.op_id]
		elif not kept_one.fields:
			yield f"the conflict of {op.op_id} is about nothing", [op.key], [op.op_id]
		elif lost := _server_side(given, op, verdict.version, kept_one):
			yield f"the conflict of {op.op_id} has lost the server's side: {lost}", [op.key], [op.op_id]


def _wanted(op: Op, name: str) -> Any:
	"""The value of a field as the device sent it, also of one that was sent beside its payload."""
	return op.payload.get(name, op.rest.get(name))


def _server_side(given: Evidence, op: Op, version: int | None, kept_one: Conflict) -> list[str]:
	"""Fields of a conflict in which the server's value is missing, or is not what was written last at that version."""
	missing = set(kept_one.fields) - set(kept_one.server)
	edited = set(op.payload) & set(kept_one.fields) - missing if op.key not in given.aged else ()
	return sorted(
		missing | {name for name in edited if not _was_held(given, op.key, version, name, kept_one)}
	)


def _was_held(
	given: Evidence, key: tuple[str, str], version: int | None, name: str, kept_one: Conflict
) -> bool:
	written = [w for w in given.written(key) if name in w[1] and (w[0] or 0) <= (version or 0)]
	last = max((w for w in written if w[0]), key=lambda w: w[0] or 0, default=None)
	allowed = [w[1][name] for w in written if w is last or w[0] is None]
	return not allowed or any(same(kept_one.server[name], value) for value in allowed)


@promise
def order(given: Evidence) -> Iterator[Found]:
	"""Numbers of a space are unique, without gaps between batches, and up to its counter."""
	seen: dict[int, tuple[str, str]] = {}
	held = given.held
	for key, record in held.records.items():
		if not 1 <= record.sequence <= held.counter:
			yield f"number {record.sequence} with the counter at {held.counter}", [key], []
		if other := seen.get(record.sequence):
			yield f"number {record.sequence} twice", [key, other], []
		seen[record.sequence] = key
	last, batch = 0, ""
	for first, end, name in held.ranges:
		if not last < first <= end <= held.counter:
			yield f"batch {name} took {first} to {end}, {batch} up to {last} of {held.counter}", [], []
		last, batch = end, name


@promise
def whole_items(given: Evidence) -> Iterator[Found]:
	"""A record and its document are at the same version, and neither is there alone."""
	yield from (("a document without a record", [key], []) for key in given.held.orphans)
	for key, record in given.held.records.items():
		if key[0] not in FIELDS or record.deleted:
			continue
		if record.values is None:
			yield "a record without a document", [key], []
		elif record.version != record.document_version:
			yield f"record at version {record.version}, document at {record.document_version}", [key], []


@promise
def atomic(given: Evidence) -> Iterator[Found]:
	"""An atomic batch is applied as a whole, or not at all."""
	batches = defaultdict(list)
	for op_id, entry in given.entries.items():
		op = given.ops.get(op_id)
		if op and op.atomic:
			batches[op.atomic].append(entry)
	for name, entries in batches.items():
		statuses = {entry.status for entry in entries}
		if "accepted" in statuses and statuses & {"error", "conflict"}:
			yield f"batch {name} was applied in part", [e.key for e in entries], [e.op_id for e in entries]


@promise
def tombstones(given: Evidence) -> Iterator[Found]:
	"""What was deleted stays deleted, unless somebody begins it again."""
	entries = given.entries.values()
	gone = [(e.key, [e.op_id]) for e in entries if (e.operation, e.status) == ("delete", "accepted")]
	gone += [(w.key, []) for w in given.writes if w.deletes and (w.answered or given.asof) < given.asof]
	for key, ops in gone:
		record = given.held.records.get(key)
		if record and not record.deleted and not _was_begun_again(given, key, ops):
			yield "deleted, and there again", [key], ops


def _was_begun_again(given: Evidence, key: tuple[str, str], ops: Iterable[str]) -> bool:
	"""Whether a create on a tombstone came after the delete. The time of a delete in the Desk is unknown."""
	begun = [e for e in given.by_key[key] if e.status == "accepted" and _revives(given, e)]
	deleted = max((given.entries[op].version for op in ops), default=0)
	return any(entry.version > deleted for entry in begun)


def _revives(given: Evidence, entry: Entry) -> bool:
	op = given.ops.get(entry.op_id)
	return op is not None and op.revives


SIGNS = {
	"income": (("account", 1),),
	"expense": (("account", -1),),
	"transfer": (("account", -1), ("to_account", 1)),
}


@promise
def balances(given: Evidence) -> Iterator[Found]:
	"""The balance of an account is the sum of its transactions."""
	sums: defaultdict[str, Decimal] = defaultdict(Decimal)
	for key, record in given.held.records.items():
		if key[0] == TRANSACTION and record.values and not record.deleted:
			for name, sign in SIGNS[record.values["transaction_type"]]:
				sums[record.values[name]] += sign * Decimal(record.values["amount"])
	for key, record in given.held.records.items():
		if key[0] == ACCOUNT and record.values and not record.deleted:
			right = Decimal(record.values["opening_balance"]) + sums[key[1]]
			if right != Decimal(record.values["current_balance"]):
				says = f"balance {record.values['current_balance']}, the sum is {right}"
				yield says, [key], _moved(given, key[1])


def _moved(given: Evidence, account: str) -> list[str]:
	"""All ops of the transactions that ever named an account."""
	named = {op.key for op in given.ops.values() if account in map(op.payload.get, ("account", "to_account"))}
	return [op.op_id for op in given.ops.values() if op.key in named]
