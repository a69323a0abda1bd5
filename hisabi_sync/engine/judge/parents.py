"""The order of records within a page: what others link to comes before them. Pure."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def first(keys: Sequence[K], links: Mapping[K, Collection[K]]) -> list[K]:
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
