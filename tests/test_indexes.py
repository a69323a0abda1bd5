"""What a table's indexes cost at every insert they must earn."""

from itertools import permutations

import frappe

FRAPPES = {"parent"}  # made by Frappe for every child table


def indexes(doctype):
	"""{name: columns} of the indexes of a DocType's table."""
	rows = frappe.db.sql(f"SHOW INDEX FROM `tab{doctype}`", as_dict=True)
	found = {}
	for row in sorted(rows, key=lambda row: (row.Key_name, row.Seq_in_index)):
		found.setdefault(row.Key_name, []).append(row.Column_name)
	return found


def test_an_index_is_the_beginning_of_another(site):
	modules = frappe.get_all("Module Def", {"app_name": "hisabi_sync"}, pluck="name")
	doctypes = frappe.get_all("DocType", {"module": ["in", modules], "issingle": 0}, pluck="name")
	assert len(doctypes) > 50
	twice = [
		(doctype, short, long)
		for doctype in doctypes
		for (short, few), (long, many) in permutations(indexes(doctype).items(), 2)
		if short not in FRAPPES and many[: len(few)] == few
	]
	assert not twice
