"""The test server with an engine that was broken on purpose: what `./dev chaos` has to find.

One push in ten is answered as accepted and rolled back, pulls leave out one change in ten, and nobody is refused to write.
"""

import itertools

import frappe

from devtool.wsgi import application
from hisabi_sync.engine import pull, push
from hisabi_sync.engine.errors import RequestError

__all__ = ["application"]
TENTH = 10
_pushes, _changes = itertools.count(1), itertools.count(1)
_transaction, _rows, _authorise = push._transaction, pull._rows, push.authorise


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


def _lenient(caller, **options):
	try:
		_authorise(caller, **options)
	except RequestError:
		caller.role = "owner"


push._transaction, pull._rows, push.authorise = _forgetful, _careless, _lenient
