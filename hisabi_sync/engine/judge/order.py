"""Parents before children: the order in which a batch is processed, and that of the records of a page. Pure."""

import heapq
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

from hisabi_sync.engine.model.change import CREATE, DELETE, Change

K = TypeVar("K", bound=Hashable)


def arrange(
	changes: Sequence[Change], ranks: Mapping[str, int], links: Sequence[Collection[str]]
) -> tuple[list[int], list[int]]:
	"""(indexes of the changes in processing order, indexes of changes in a cycle).

	`ranks` maps entity types to their rank, `links[i]` has the record names that change i links to. Changes of one
	record keep the order in which they were sent, except that its create comes first. Actions come after the creates and
	updates, and deletes come last, children before parents.
	"""
	after = _dependencies(changes, links)
	waiting = {i: len(before) for i, before in after.items()}
	followers: dict[int, list[int]] = {}
	for i, before in after.items():
		for j in before:
			followers.setdefault(j, []).append(i)
	ready = [_key(changes[i], ranks, i) for i, count in waiting.items() if count == 0]
	heapq.heapify(ready)
	arranged = []
	while ready:
		index = heapq.heappop(ready)[-1]
		arranged.append(index)
		for follower in followers.get(index, ()):
			waiting[follower] -= 1
			if waiting[follower] == 0:
				heapq.heappush(ready, _key(changes[follower], ranks, follower))
	return arranged, sorted(_circles(after, set(after) - set(arranged)))


def _circles(after: Mapping[int, set[int]], left: set[int]) -> set[int]:
	"""Indexes that are part of a cycle, without those that only depend on one."""
	return {i for i in left if i in _reachable(i, after, left)}


def _reachable(start: int, after: Mapping[int, set[int]], left: set[int]) -> set[int]:
	found: set[int] = set()
	todo = [start]
	while todo:
		following = (after[todo.pop()] & left) - found
		found |= following
		todo.extend(following)
	return found


def _key(change: Change, ranks: Mapping[str, int], index: int) -> tuple[int, int, int]:
	rank = ranks.get(change.entity_type, 0)
	return stage(change), -rank if change.operation == DELETE else rank, index


def stage(change: Change) -> int:
	"""0 for creates and updates, 1 for actions and for what depends on one, 2 for deletes."""
	if change.operation == DELETE:
		return 2
	return 1 if change.is_action or change.amends else 0


def _dependencies(changes: Sequence[Change], links: Sequence[Collection[str]]) -> dict[int, set[int]]:
	"""For each change the indexes of the changes that must be processed before it."""
	creates: dict[str, int] = {}
	for i, change in enumerate(changes):
		if change.operation == CREATE:
			creates.setdefault(change.record, i)
	after = {
		i: {creates[name] for name in links[i] if name in creates and creates[name] != i}
		for i in range(len(changes))
	}
	latest = dict(creates)
	for i, change in enumerate(changes):
		previous = latest.get(change.record)
		if previous is not None and previous != i and creates.get(change.record) != i:
			after[i].add(previous)
		if change.amended_record in latest:
			after[i].add(latest[change.amended_record])
		if creates.get(change.record) != i:
			latest[change.record] = i
	return after


def before_actions(changes: Sequence[Change]) -> list[set[int]]:
	"""For each action, the indexes of earlier changes of its record; for each amendment, those of the record it amends.

	An action is taken on what the person made of the record, so all of that has to be there.
	"""
	earlier: dict[str, set[int]] = {}
	found: list[set[int]] = []
	for i, change in enumerate(changes):
		about = change.record if change.is_action else change.amended_record
		found.append(set(earlier.get(about, ())) if about else set())
		earlier.setdefault(change.record, set()).add(i)
	return found


def depends_on(changes: Sequence[Change], links: Sequence[Collection[str]]) -> list[set[int]]:
	"""For each change, the indexes of the creates in the batch that its links need."""
	creates = {
		change.record: i for i, change in reversed(list(enumerate(changes))) if change.operation == CREATE
	}
	return [
		{creates[name] for name in names if name in creates and creates[name] != i}
		for i, names in enumerate(links)
	]


# --- a page


def parents_first(keys: Sequence[K], links: Mapping[K, Collection[K]]) -> list[K]:
	"""The keys, each behind those that it links to. Keys that link to each other in a circle stay as they come.

	`links` may name keys that are not there.
	"""
	there, found = set(keys), dict[K, None]()
	for key in keys:
		_visit(key, links, there, found)
	return list(found)


def _visit(start: K, links: Mapping[K, Collection[K]], there: Collection[K], found: dict[K, None]) -> None:
	"""Add a key behind everything that it links to, without recursion: chains may be as long as a page."""
	path, seen = [(start, iter(links.get(start, ())))], {start}
	while path:
		key, left = path[-1]
		following = next((one for one in left if one in there and one not in seen and one not in found), None)
		if following is None:
			found.setdefault(key)
			path.pop()
		else:
			seen.add(following)
			path.append((following, iter(links.get(following, ()))))
