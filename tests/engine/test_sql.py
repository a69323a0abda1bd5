"""Multi-row statements bring each value to its row and column, however they send it."""

import json

import frappe
import pytest

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.model import ids

COLUMNS = ["name", "device", "op_id", "payload", "position"]
ODD = [
	'say "hi"',
	"it's",
	"back\\slash",
	"100 %",
	"%(a0)s",
	"{}",
	"",
	"سوق 🛒",
	"line\nbreak",
	"#",
	"\x1a\t",
	"'); --",
]


def stored(rows):
	sql.insert("Sync Item", COLUMNS, rows)
	held = sql.select_in("Sync Item", COLUMNS, "name", [row[0] for row in rows])
	frappe.db.rollback()
	return {row[0]: tuple(row) for row in held}


@pytest.mark.parametrize("turn", range(len(ODD)))
def test_odd_texts_come_back_as_they_were_written(site, turn):
	"""The first text of a column decides how the column is sent, so each one is the first once."""
	texts = ODD[turn:] + ODD[:turn]
	rows = [(ids.new(), text, text[::-1], json.dumps({"v": text}), n) for n, text in enumerate(texts)]
	assert stored(rows) == {row[0]: row for row in rows}


def test_columns_that_are_alike_and_empty_cells_keep_their_places(site):
	names = [ids.new() for _ in range(3)]
	rows = [
		(names[0], names[0], '{"a": 1}', '{"a": 1}', 1),
		(names[1], names[1], None, None, 1),
		(names[2], names[2], "", '{"a": "\\u0041"}', 1),
	]
	assert stored(rows) == {row[0]: row for row in rows}
