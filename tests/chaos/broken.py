"""The test server with an engine that was broken on purpose: what `./dev chaos` has to find.

One push in ten is answered as accepted and rolled back, and pulls leave out one change in ten.
"""

import itertools

import frappe

from devtool.wsgi import application
from hisabi_sync.engine import pull, push

__all__ = ["application"]
TENTH = 10
_pushes, _changes = itertools.count(1), itertools.count(1)
_transaction, _rows = push._transaction, pull._rows


def _forgetful(*arguments):
	if next(_pushes) % TENTH:
		return _transaction(*arguments)
	commit, frappe.db.commit = frappe.db.commit, frappe.db.rollback
	try:
		return _transaction(*arguments)
	finally:
		frappe.db.commit = commit


def _careless(*arguments):
	return [row for row in _rows(*arguments) if next(_changes) % TENTH]


push._transaction, pull._rows = _forgetful, _careless
