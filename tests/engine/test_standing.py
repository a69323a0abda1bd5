"""A cursor knows how far it came with each entity type: whatever is asked for in whatever order, nothing is skipped."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine.judge import standing
from hisabi_sync.engine.judge.standing import Asked
from hisabi_sync.engine.model import cursor, ids
from tests.support.options import examples

SPACE = ids.space("test", "standing")
TYPES = "ABCD"
MARKS = {name: ids.digest(name, size=6) for name in TYPES}

writes = st.tuples(st.just("write"), st.sampled_from(TYPES), st.integers(0, 2), st.booleans())
closes = st.tuples(st.just("close"), st.sampled_from(TYPES))
pulls = st.tuples(
	st.just("pull"), st.one_of(st.none(), st.sets(st.sampled_from(TYPES), min_size=1)), st.integers(1, 3)
)


class Server:
	"""The order of one space; `closed` entity types are switched off."""

	def __init__(self):
		self.sequence, self.rows, self.closed = 0, {}, set()

	def write(self, entity_type, number, is_deleted):
		self.sequence += 1
		self.rows[entity_type, number] = (self.sequence, is_deleted)

	def close(self, entity_type):
		self.closed ^= {entity_type}

	def page(self, token, entity_types, limit):
		"""([(sequence, record, is_deleted)], the next token, whether there are more)."""
		names = sorted(set(entity_types or TYPES) - self.closed)
		visibilities = {mark: "0000000a" for mark in MARKS.values()}
		asked = Asked(
			self.sequence, "0000000b", visibilities, tuple(MARKS[n] for n in names), entity_types is None
		)
		begun = standing.begin(cursor.decode(token, SPACE) if token else None, asked)
		rows = sorted(
			(sequence, record, gone)
			for record, (sequence, gone) in self.rows.items()
			if record[0] in names and self.is_behind(begun.at[MARKS[record[0]]], sequence, gone)
		)
		more = len(rows) > limit
		position = rows[limit - 1][0] if more else max(self.sequence, begun.position)
		return rows[:limit], cursor.encode(standing.after(begun, position, SPACE)), more

	@staticmethod
	def is_behind(place, sequence, gone):
		return sequence > place.position and not (
			gone and place.snapshot is not None and sequence <= place.snapshot
		)

	def live(self, names):
		return {record for record, (_, gone) in self.rows.items() if record[0] in names and not gone}


class Device:
	def __init__(self, server):
		self.server, self.token, self.replica, self.told = server, None, set(), []

	def pull(self, entity_types, limit):
		rows, self.token, more = self.server.page(self.token, entity_types, limit)
		for sequence, record, gone in rows:
			(self.replica.discard if gone else self.replica.add)(record)
			self.told.append((sequence, record))
		return more


@given(st.lists(st.one_of(writes, writes, pulls, closes), max_size=40), st.sets(st.sampled_from(TYPES)))
@examples(300)
def test_nothing_is_skipped_and_nothing_is_told_twice(steps, last):
	server = Server()
	device = Device(server)
	for name, *arguments in steps:
		(device.pull if name == "pull" else getattr(server, name))(*arguments)
	server.closed = set()
	asked = last or None
	while device.pull(asked, 2):
		pass
	names = asked or set(TYPES)
	assert {record for record in device.replica if record[0] in names} == server.live(names)
	assert len(device.told) == len(set(device.told))


@given(
	st.dictionaries(
		st.sampled_from(sorted(MARKS.values())),
		st.one_of(
			st.none(),
			st.builds(
				cursor.Standing,
				st.integers(0, 2**53),
				st.one_of(st.none(), st.integers(0, 2**53)),
				st.just("0a0b0c0d"),
			),
		),
	),
	st.one_of(st.none(), st.builds(cursor.Standing, st.integers(0, 2**53), st.none(), st.just("01020304"))),
)
@examples(200)
def test_a_cursor_comes_back_as_it_was(named, rest):
	made = cursor.build(SPACE, rest, named)
	assert cursor.decode(cursor.encode(made), SPACE) == made


def test_a_cursor_of_all_types_alike_is_one_of_version_1():
	"""Those are in the field; a version of the server before knew no other."""
	text = cursor.encode(cursor.Cursor(SPACE, 7, None, "0000000b"))
	assert (len(text), base64.urlsafe_b64decode(text + "=")[0]) == (55, 1)
	assert cursor.decode(text, SPACE).of(MARKS["A"]).position == 7
