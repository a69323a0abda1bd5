"""The cursor of all spaces: what goes in comes out, nobody else's is taken, and 200 spaces fit into a request."""

import base64
import secrets

import frappe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine import kept_cursors
from hisabi_sync.engine.judge.standing import BLIND
from hisabi_sync.engine.model import cursor, wide_cursor
from hisabi_sync.engine.model.cursor import Standing
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.model.wide_cursor import LONGEST, Leaving, WideCursor
from tests.support.options import examples

USER = "somebody@example.com"
positions = st.integers(0, 2**53)
marks = st.binary(min_size=6, max_size=6).map(bytes.hex)
hashes = st.binary(min_size=4, max_size=4).map(bytes.hex)
names = st.binary(min_size=8, max_size=8).map(bytes.hex)


@st.composite
def standings(draw):
	snapshot = draw(st.none() | positions)
	return Standing(draw(positions), snapshot, draw(hashes), snapshot is not None and draw(st.booleans()))


@st.composite
def wide(draw):
	def held(space):
		named = draw(st.dictionaries(marks, st.none() | standings(), max_size=4))
		return cursor.build(space, draw(st.none() | standings()), named)

	spaces = draw(st.lists(names, unique=True, max_size=8))
	cut = draw(st.integers(0, len(spaces)))
	leaving = {space: Leaving(held(space), draw(positions), draw(positions)) for space in spaces[cut:]}
	return WideCursor(draw(positions), {space: held(space) for space in spaces[:cut]}, leaving)


@examples(200)
@given(wide())
def test_what_goes_in_comes_out(one):
	assert wide_cursor.decode(wide_cursor.encode(one, USER), USER) == one


@examples(100)
@given(wide(), st.integers(0), st.integers(0, 7))
def test_one_bit_makes_it_a_forgery(one, place, bit):
	text = wide_cursor.encode(one, USER)
	raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
	raw[place % len(raw)] ^= 1 << bit
	with pytest.raises(RequestError, match="did not issue"):
		wide_cursor.decode(base64.urlsafe_b64encode(raw).decode().rstrip("="), USER)


@pytest.mark.parametrize("text", ["", "AA", "!", "x" * 4096, "ä", "BAAA", "Aw"])
def test_what_is_no_cursor(text):
	with pytest.raises(RequestError, match="did not issue"):
		wide_cursor.decode(text, USER)


def test_a_cursor_is_its_users_own():
	text = wide_cursor.encode(WideCursor(), USER)
	for other in ("else@example.com", "", USER + "x"):
		with pytest.raises(RequestError, match="did not issue"):
			wide_cursor.decode(text, other)


def many(count, largest=2**27, types=12, apart=False):
	"""Spaces of two kinds with some types of which the user may read nothing; `apart` lets each type stand by itself."""
	kinds = [[secrets.token_hex(6) for _ in range(types)] for _ in range(2)]
	hashed = [secrets.token_hex(4) for _ in range(2)]

	def held(n):
		kind, position = n % 2, largest - secrets.randbelow(1000)
		named = {mark: Standing(position - i * apart, None, BLIND) for i, mark in enumerate(kinds[kind][:3])}
		space = secrets.token_hex(8)
		return cursor.build(space, Standing(position, None, hashed[kind]), named)

	return WideCursor(1_800_000_000_000, {one.space: one for one in map(held, range(count))})


def test_200_spaces_fit_into_4_kib():
	assert len(wide_cursor.encode(many(200), USER)) <= 4096


def test_what_does_not_fit_is_kept_under_an_id(site):
	one, device = many(300, apart=True), secrets.token_hex(10)
	assert len(wide_cursor.encode(one, USER)) > LONGEST
	text = kept_cursors.write(one, USER, device)
	assert len(text) < 100 and kept_cursors.read(text, USER) == one
	with pytest.raises(RequestError, match="did not issue"):
		kept_cursors.read(text, "else@example.com")


def test_a_device_has_few_of_them_and_one_that_is_gone_starts_over(site):
	device = secrets.token_hex(10)
	texts = [kept_cursors.write(many(300, apart=True), USER, device) for _ in range(kept_cursors.MOST + 3)]
	assert frappe.db.count(kept_cursors.DOCTYPE, {"holder": device}) == kept_cursors.MOST
	assert kept_cursors.read(texts[-1], USER) and kept_cursors.read(texts[-2], USER)
	with pytest.raises(RequestError) as refused:
		kept_cursors.read(texts[0], USER)
	assert (refused.value.code, refused.value.status) == ("resync_required", 410)
