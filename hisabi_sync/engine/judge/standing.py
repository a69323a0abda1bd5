"""The Standing of a device, its position in each entity type, before and after a page. Pure."""

from dataclasses import dataclass, field, replace

from hisabi_sync.engine.model import cursor
from hisabi_sync.engine.model.cursor import Standing
from hisabi_sync.engine.model.errors import RequestError

UNSEEN = "00000000"  # a visibility hash that never matches: everything is sent again
BLIND = "ffffffff"  # the visibility hash of an entity type of which the caller may read no record at all


@dataclass(frozen=True, slots=True)
class Asked:
	"""The entity types that a call asks for, and the state of the space.

	`marks` are asked for; `everything` is true if the call named none. `visibilities` are {mark of an entity type: the caller's
	visibility hash} for all of the space's type, `visibility` is that of all together. `horizons` are positions up to which
	tombstones may have been removed; `horizon` is for entity types without their own. An app that cannot start over
	(`begins_again`) is sent everything again instead, with all tombstones that there are.
	"""

	position: int
	visibility: str
	visibilities: dict[str, str]
	marks: tuple[str, ...]
	everything: bool
	horizon: int = 0
	horizons: dict[str, int] = field(default_factory=dict)
	begins_again: bool = False

	def horizon_of(self, mark: str) -> int:
		"""The position up to which tombstones of an entity type may be gone."""
		return max(self.horizon, self.horizons.get(mark, 0))


@dataclass(frozen=True, slots=True)
class Begin:
	"""`sent` is the cursor that was sent, or None. `at` is {mark: Standing} of what is asked for, `rest` that of all others."""

	sent: cursor.Cursor | None
	asked: Asked
	at: dict[str, Standing]
	rest: Standing | None
	is_guessed: bool = False  # whether `sent` was made of a time, so that its visibility hashes say nothing

	def is_first(self, mark: str) -> bool:
		"""Whether records of an entity type are new to the device: in its first pull, with all pages."""
		standing = self.sent.of(mark) if self.sent else None
		return standing is None or standing.snapshot is not None

	def is_with_rest(self, mark: str) -> bool:
		"""Whether an entity type is asked for together with all others, and has their position."""
		standing, rest = self.at[mark], self.rest
		if rest is None or not self.asked.everything:
			return False
		return (standing.position, standing.snapshot) == (rest.position, rest.snapshot)

	def is_blind(self, mark: str) -> bool:
		"""Whether the caller may read no record of an entity type, and the device has none that it could forget."""
		standing = self.at[mark]
		return (
			standing.visibility == BLIND
			and not self.is_guessed
			and (standing.snapshot is None or standing.first)
		)

	def skips_deletes(self, standing: Standing) -> bool:
		"""Whether tombstones up to the snapshot are left out: the device has them, unless its app begins again."""
		return standing.snapshot is not None and (standing.first or not self.asked.begins_again)

	def never_had(self, mark: str, sequence: int, just_entered: bool) -> bool:
		"""Whether the device cannot have a live record that its caller may not read.

		`just_entered`: the record has the version with which it came into the space for the first time.
		"""
		standing = self.at[mark]
		if standing.first and sequence <= standing.deletes_until:
			return True
		return just_entered and sequence > standing.deletes_until and not self.is_guessed

	@property
	def position(self) -> int:
		"""The least position of what is asked for."""
		standings = [standing.position for standing in self.at.values()]
		return min(
			[*standings, self.rest.position] if self.asked.everything and self.rest else standings, default=0
		)


def begin(sent: cursor.Cursor | None, asked: Asked, is_guessed: bool = False) -> Begin:
	"""Where a page begins. Raises RequestError resync_required.

	A first pull keeps the position at which it began, so that only later deletes are sent. If the visibility hash has changed,
	records that they may see are sent again, and others as tombstones.
	"""
	at = {mark: _begin(_of(sent, mark, asked), mark, asked) for mark in asked.marks}
	rest = sent.rest if sent else None
	if asked.everything:
		rest = _checked(rest, asked.horizon, asked.visibility, asked)
	return Begin(sent, asked, at, rest, is_guessed)


def _of(sent: cursor.Cursor | None, mark: str, asked: Asked) -> Standing | None:
	"""The Standing of one entity type. If it is part of the rest, its visibility is known only if that of the rest is unchanged."""
	if sent is None or mark in sent.named:
		return sent.named[mark] if sent else None
	rest = sent.rest
	if rest is None:
		return None
	visibility = asked.visibilities[mark] if rest.visibility == asked.visibility else UNSEEN
	return Standing(rest.position, rest.snapshot, visibility, rest.first)


def _begin(standing: Standing | None, mark: str, asked: Asked) -> Standing:
	return _checked(standing, asked.horizon_of(mark), asked.visibilities[mark], asked)


def _checked(standing: Standing | None, horizon: int, visibility: str, asked: Asked) -> Standing:
	if standing is None or (standing.visibility == BLIND and visibility != BLIND):
		return Standing(0, asked.position, visibility, first=True)
	reached = max(standing.position, standing.deletes_until)
	lost = (
		"position_unknown" if reached > asked.position else "position_too_old" if reached < horizon else None
	)
	if lost and asked.begins_again:
		return Standing(0, asked.position, visibility)  # until it is reached, the next pages go on
	if lost:
		raise RequestError("resync_required", reason=lost)
	return standing if standing.visibility == visibility else Standing(0, standing.deletes_until, visibility)


def after(begun: Begin, position: int, space: str) -> cursor.Cursor:
	"""The Cursor after a page that ends at a position. Entity types that were not asked for keep their Standing."""
	asked, sent = begun.asked, begun.sent
	moved = {mark: _moved(standing, position) for mark, standing in begun.at.items()}
	if begun.rest is None or not asked.everything:
		return cursor.build(space, begun.rest, {**(sent.named if sent else {}), **moved})
	rest = _moved(begun.rest, position)
	left = {mark: _of(sent, mark, asked) for mark in asked.visibilities if mark not in moved}
	unknown = {m: s for m, s in (sent.named if sent else {}).items() if m not in asked.visibilities}
	apart = {m: s for m, s in {**left, **moved, **unknown}.items() if not _is_with(rest, m, s, asked)}
	return cursor.build(space, rest, apart)


def _moved(standing: Standing, position: int) -> Standing:
	reached = max(standing.position, position)
	finished = standing.snapshot is not None and reached >= standing.snapshot
	if finished:
		return Standing(reached, None, standing.visibility)
	return replace(standing, position=reached)


def _is_with(rest: Standing, mark: str, standing: Standing | None, asked: Asked) -> bool:
	"""Whether an entity type has the Standing of the rest, so that the cursor need not name it."""
	if standing is None or standing.visibility == BLIND:
		return False
	same = (standing.position, standing.snapshot, standing.first) == (
		rest.position,
		rest.snapshot,
		rest.first,
	)
	return same and standing.visibility == asked.visibilities.get(mark)
