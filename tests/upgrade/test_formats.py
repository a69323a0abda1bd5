"""What the engine stores is read by every later release: a form that changes has a new version, and a patch."""

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from unittest import mock

import frappe
import pytest

from hisabi_sync import formats
from hisabi_sync.engine import ledger
from hisabi_sync.engine.model import ids, secrets_hash, texts
from hisabi_sync.engine.model.change import Outcome, Past
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.store import digests, load, stored_json
from hisabi_sync.patches import chunks
from tests.engine.pure import entity

FIELDS = {
	"amount": Field("amount", "Currency"),
	"day": Field("day", "Date"),
	"note": Field("note", "Small Text", length=140),
	"lines": Field("lines", "Table", columns=(Field("qty", "Int"),)),
}
VALUES = {
	"amount": FIELDS["amount"].parse("12.5"),
	"day": FIELDS["day"].parse("2026-03-01"),
	"note": FIELDS["note"].parse('a<b "x"=1'),
	"lines": FIELDS["lines"].parse([{"qty": 2}]),
}
PAST = Past(
	3, {"note": VALUES["note"], "amount": Decimal("1.000000000")}, {"note": 2}, datetime(2026, 3, 1, 10)
)


# As a Sync Record's row has it, in the order of what the engine reads.
RECORD = ("r", "Thing", "t-1", "t-1", 3, 3, '{"note":3,"amount":2}', None, None, None, 1, None, None, 1, None)


def digest():
	"""Of the values above, with a key that is the same on every site."""
	thing = replace(entity(), fields=FIELDS)
	with mock.patch.object(secrets_hash, "key", lambda purpose: purpose.encode() * 4):
		return digests.digest_of(VALUES, thing)


def examples():
	"""{format: text of an example}."""
	space = ids.space("wallet", "w-1")
	outcome = Outcome("error", code="invalid_value", detail=["f"])
	return {
		"record_id": [
			space,
			ids.record(space, "Hisabi Account", "a-1"),
			ids.member(space, "a@b.c"),
			ids.device("a@b.c", "d"),
		],
		"field_versions": load._stored(RECORD).field_versions,
		"digest": digest(),
		"past": json.loads(stored_json.encode_past(PAST, FIELDS)),
		"values": json.loads(stored_json.encode_values(VALUES, FIELDS)),
		"result": json.loads(ledger.encode(outcome, ("error", "", "", None, None))),
		"text": texts.encode('a<b "x"=1 &lt;'),
	}


def test_every_format_that_has_a_version_has_an_example(golden):
	assert set(examples()) == set(golden) == set(formats.VERSIONS)


@pytest.mark.parametrize("name", formats.VERSIONS)
def test_a_stored_form_is_that_of_its_version(name, golden):
	assert golden[name] == {"version": formats.VERSIONS[name], "example": examples()[name]}, (
		"the form has changed: raise its version in hisabi_sync/formats.py, write a patch, and renew the example"
	)


@pytest.fixture(scope="module")
def golden():
	from pathlib import Path

	return json.loads(Path(__file__).with_name("formats.json").read_text())


def test_a_site_of_a_newer_release_is_not_migrated(site):
	formats.note()
	held = formats.stored()
	assert held == formats.VERSIONS
	formats.require_known()
	frappe.db.set_global(formats.KEY, json.dumps({**held, "digest": 99}))
	try:
		with pytest.raises(frappe.ValidationError, match="digest"):
			formats.require_known()
	finally:
		formats.note()
	formats.require_known()


def test_an_interrupted_patch_goes_on_where_it_stopped(site, monkeypatch):
	monkeypatch.setattr(chunks, "CHUNK", 2)
	names = sorted(frappe.get_all("Role", pluck="name"), key=str.lower)[:5]
	seen = []

	def stops(rows):
		if len(seen) == 4:
			raise KeyboardInterrupt
		seen.extend(row[0] for row in rows)

	where, marks = f"name IN ({', '.join(['%s'] * 5)})", tuple(names)
	with pytest.raises(KeyboardInterrupt):
		chunks.Patch("test").walk("Role", ["role_name"], stops, where, marks)
	frappe.db.rollback()
	again = []
	patch = chunks.Patch("test")
	for _ in range(2):  # a step that is done is not done again
		patch.walk("Role", ["role_name"], lambda rows: again.extend(row[0] for row in rows), where, marks)
	assert sorted(seen + again, key=str.lower) == names and len(seen) == 4
	patch.finish()
	assert not frappe.db.exists("DefaultValue", {"defkey": ["like", f"{chunks.KEY}%"]})
