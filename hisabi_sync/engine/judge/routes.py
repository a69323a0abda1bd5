"""In which order the changes of a push over several spaces are processed: space by space, what others need first. Pure."""

from collections.abc import Collection, Sequence


def groups(spaces: Sequence[str], needs: Sequence[Collection[int]]) -> list[tuple[str, list[int]]]:
	"""[(space, places of the changes that are processed together)], in as few groups as it takes.

	`spaces[i]` is the space of change i, `needs[i]` are the changes that have to be processed before it or with it. Changes that
	need each other across spaces in a circle come at the end, as they are.
	"""
	left, done, found = set(range(len(spaces))), set[int](), list[tuple[str, list[int]]]()
	while left:
		space, taken = _largest(spaces, needs, left, done)
		taken = taken or {i for i in left if spaces[i] == space}
		found.append((space, sorted(taken)))
		left -= taken
		done |= taken
	return found


def _largest(
	spaces: Sequence[str], needs: Sequence[Collection[int]], left: Collection[int], done: Collection[int]
) -> tuple[str, set[int]]:
	"""The space of which most changes can be processed now, with those; of several, that which comes first."""
	own: dict[str, set[int]] = {}
	for i in sorted(left):
		own.setdefault(spaces[i], set()).add(i)
	ready = {space: _ready(changes, needs, done) for space, changes in own.items()}
	space = max(ready, key=lambda name: len(ready[name]))
	return space, ready[space]


def _ready(own: Collection[int], needs: Sequence[Collection[int]], done: Collection[int]) -> set[int]:
	"""Those of a space's changes that need nothing but each other and what is done."""
	ready, size = set(own), -1
	while size != len(ready):
		size = len(ready)
		ready = {i for i in ready if all(need in ready or need in done for need in needs[i])}
	return ready
