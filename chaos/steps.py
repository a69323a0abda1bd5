"""Steps in the life of submitted documents, and what has to be true of them. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

ACTED, UNKNOWN = "accepted", "unknown"
REACHED = {"submit": 1, "cancel": 2}
Said = Iterator[tuple[str, str]]


@dataclass
class Step:
	"""One create, edit or action and its answer. `old` is the paper in whose place an amendment is."""

	op_id: str
	what: str
	key: str
	base: int | None = None
	then: str | None = None
	old: str | None = None
	by_office: bool = False
	status: str = ""
	version: int | None = None
	docstatus: int | None = None
	repeated: bool = False
	code: str | None = None

	def took(self, action: str) -> bool:
		"""Whether this is the step that took the action."""
		return self.status == ACTED and action in (self.what, self.then)

	def may_have_taken(self, action: str) -> bool:
		"""Whether nobody knows if this step took the action."""
		return self.status == UNKNOWN and self.what == action


@dataclass
class Held:
	"""A paper as the server holds it; `amendments` counts documents in its place."""

	docstatus: int
	version: int
	amendments: int


def check(steps: Iterable[Step], held: Mapping[str, Held], documents: int | None) -> Said:
	"""(what is wrong, id of the paper). `documents` is how many there are, None if the server is away."""
	by_key: dict[str, list[Step]] = defaultdict(list)
	for step in steps:
		by_key[step.key].append(step)
	if documents is not None and documents != len(held):
		yield f"{documents} documents of {len(held)} records", ""
	for key, own in by_key.items():
		yield from _of_paper(key, own, held.get(key))
	yield from _amended(by_key, held)


def _of_paper(key: str, own: list[Step], held: Held | None) -> Said:
	if held is None:
		if any(step.status == ACTED for step in own):
			yield "what was accepted is not there", key
		return
	for action, reached in REACHED.items():
		yield from _of_action(key, action, reached, own, held)
	yield from _versions(key, own, held)


def _of_action(key: str, action: str, reached: int, own: list[Step], held: Held) -> Said:
	"""Taken once, and the document is where the action leads; nor is it there without anybody's action."""
	taken = [step.op_id for step in own if step.took(action)]
	if len(taken) > 1:
		yield f"{action} was taken {len(taken)} times: {', '.join(taken)}", key
	if taken and held.docstatus < reached:
		yield f"{action} was accepted ({taken[0]}), docstatus is {held.docstatus}", key
	if held.docstatus >= reached and not taken and not any(step.may_have_taken(action) for step in own):
		yield f"docstatus is {held.docstatus}, and nobody took {action}", key


def _versions(key: str, own: list[Step], held: Held) -> Said:
	"""Each accepted step of a device has a version of its own, and there are no more than what was done."""
	told = Counter(step.version for step in own if step.status == ACTED and not step.by_office)
	if twice := [version for version, times in told.items() if times > 1]:
		yield f"version {twice[0]} was given to two steps", key
	if told and held.version < max(version or 0 for version in told):
		yield f"version {held.version} is behind what was told", key
	done = sum(1 + bool(step.then) for step in own if step.status in (ACTED, UNKNOWN))
	if held.version > done:
		yield f"{held.version} versions of {done} steps", key


def _amended(by_key: Mapping[str, list[Step]], held: Mapping[str, Held]) -> Said:
	"""A cancelled paper has one document in its place at most."""
	taken: Counter[str] = Counter()
	for own in by_key.values():
		taken.update(step.old for step in own if step.old and step.status == ACTED)
	for key, one in held.items():
		if one.amendments > 1 or taken[key] > 1 or one.amendments != taken[key]:
			yield f"{one.amendments} documents are in its place, {taken[key]} amendments were accepted", key
