"""Applying a user's choice to a conflict about a list or an object: the parts that it names; the rest is merged. Pure.

`base`, `server` and `client` are the sides of the conflict, `present` is the record's value. The functions return (value, its
base), to be judged like any change. A key or row that the choice does not name is removed only if the client had removed it
and nobody changed it since. A part that the choice names as the client had sent it, and that does not clash, is not a choice:
so a list that is sent whole does not undo the work of others.
"""

import json
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any

from hisabi_sync.engine.model import merge as merging
from hisabi_sync.engine.model.merge import ABSENT, merge, same

Row = dict[str, Any]


def apply(base: Any, server: Any, client: Any, choice: Any, present: Any) -> tuple[Any, Any]:
	"""JSON values: objects key by key, at every depth; everything else as a whole."""
	value, seen = _apply(base, server, client, present, choice)
	return complete(value, seen, present), seen


def apply_rows(
	base: list[Row],
	server: list[Row],
	client: list[Row],
	choice: list[Row],
	present: list[Row],
	*,
	keys: Collection[str] = (),
	labels: Collection[str] = (),
) -> tuple[list[Row], list[Row]]:
	"""Child tables row by row, and rows cell by cell.

	Rows are identified by their names or `keys`. A row that the client added has neither: it is matched with an equal row, or
	one with equal links, or without links one with equal `labels`.
	"""
	sides = [_rows(rows, (base, server, present), keys) for rows in (base, server, client, present)]
	label = partial(_label, keys=keys, others=labels)
	chosen = _under_the_same(_rows(choice, (base, server, present), keys), sides[2], label)
	parts: list[Any] = [*sides, chosen]
	value, seen = _apply(*parts)
	return _completed(value, seen, sides[3]), list(seen.values())


def complete(value: Any, seen: Any, present: Any) -> Any:
	"""The value merged with changes of the record since its base. Clashes are left to the judging of the change."""
	return merge(seen, value, present)[0]


def complete_rows(
	value: list[Row], seen: list[Row], present: list[Row], keys: Collection[str] = ()
) -> list[Row]:
	"""The same for child tables."""
	return _completed(*(_rows(rows, (seen, present), keys) for rows in (value, seen, present)))


def _completed(value: Mapping[Any, Row], seen: Mapping[Any, Row], present: Mapping[Any, Row]) -> list[Row]:
	return merging.named(merging.merge_objects(seen, value, present)[0])


def _apply(base: Any, server: Any, client: Any, present: Any, choice: Any) -> tuple[Any, Any]:
	if choice is ABSENT or _was_sent(base, server, client, choice):
		return _rest(base, server, client, present)
	if not isinstance(choice, dict):
		return choice, server
	# If the server removed it, the choice restores it.
	restored = server if isinstance(server, dict) else base
	sides = [side if isinstance(side, dict) else {} for side in (base, restored, client, present)]
	value, seen = {}, {}
	for key in dict.fromkeys(key for part in (*sides[1:3], choice) for key in part):
		of_key = (side.get(key, ABSENT) for side in (*sides, choice))
		value[key], seen[key] = _apply(*of_key)
	return _there(value), _there(seen) if isinstance(server, dict) else server


def _was_sent(base: Any, server: Any, client: Any, choice: Any) -> bool:
	"""Whether the choice repeats what the client sent, and nothing clashes there."""
	if isinstance(choice, dict) and isinstance(server, dict):
		return False
	return _is_part(choice, client) and not merge(base, server, client)[1]


def _is_part(choice: Any, whole: Any) -> bool:
	if isinstance(choice, dict) and isinstance(whole, dict):
		return all(_is_part(part, whole.get(key, ABSENT)) for key, part in choice.items())
	return same(choice, whole)


def _rest(base: Any, server: Any, client: Any, present: Any) -> tuple[Any, Any]:
	"""Without a choice, what does not clash is merged; a part that somebody changed since is not removed."""
	value = merge(base, server, client)[0]
	return value, ABSENT if value is ABSENT and not same(present, server) else server


def _there(parts: Mapping[Any, Any]) -> dict[Any, Any]:
	return {key: part for key, part in parts.items() if part is not ABSENT}


# --- rows


def _rows(rows: Iterable[Row], earlier: Iterable[Iterable[Row]], keys: Collection[str]) -> dict[Any, Row]:
	found = merging.by_identity(rows, earlier, keys)
	return dict(zip(found, merging.named(found), strict=True))


def _under_the_same(
	chosen: Mapping[Any, Row], client: Mapping[Any, Row], label: Callable[[Row], tuple[Any, ...]]
) -> dict[Any, Row]:
	"""The chosen rows; new ones get the identities of the client's rows that they match."""
	new, left = _new(chosen), _new(client)
	# Columns that only the server sets are not in what a device sends.
	shared = sorted({c for row in new.values() for c in row} & {c for row in left.values() for c in row})
	pairs: dict[Any, Any] = {}
	for tell in (lambda row: tuple(row.get(column) or None for column in shared), label):
		_pair(pairs, {one: row for one, row in new.items() if one not in pairs}, left, tell)
	under = {**{identity: ("chosen", identity) for identity in new}, **pairs}
	return {under.get(identity, identity): row for identity, row in chosen.items()}


def _label(row: Row, keys: Collection[str], others: Collection[str]) -> tuple[Any, ...]:
	"""What identifies a new row: its links, or else its labels."""
	found = merging.natural(row, keys)
	found = found if any(found) else merging.natural(row, others)
	return found if any(found) else ()


def _pair(
	pairs: dict[Any, Any],
	chosen: Mapping[Any, Row],
	left: dict[Any, Row],
	tell: Callable[[Row], tuple[Any, ...]],
) -> None:
	"""Pair rows for which `tell` is equal, each once and in their order; one pass over both sides."""
	waiting: dict[str, deque[Any]] = {}
	for identity, row in left.items():
		waiting.setdefault(_written(tell(row)), deque()).append(identity)
	for identity, row in chosen.items():
		told = tell(row)
		fitting = waiting.get(_written(told)) if told else None
		if fitting:
			pairs[identity] = fitting.popleft()
			del left[pairs[identity]]


def _written(told: tuple[Any, ...]) -> str:
	"""A text for a key: cells may hold values that cannot be keys."""
	return json.dumps(told, sort_keys=True, default=str)


def _new(rows: Mapping[Any, Row]) -> dict[Any, Row]:
	return {identity: row for identity, row in rows.items() if identity[0] != merging.NAME}
