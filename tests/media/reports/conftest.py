"""A DocType with fields for files and rich texts, and a file that is nobody's."""

import frappe
import pytest

from tests.media.reports.documents import COLUMNS, NAME, ROW
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.phone import new_id


@pytest.fixture(scope="module", autouse=True)
def reports(site):
	"""The DocType and its entity type, as a person makes them; taken away again afterwards."""
	frappe.set_user("Administrator")
	held = COLUMNS.items()
	doctypes.make(ROW, columns(*held), istable=1)
	doctypes.make(NAME, columns("wallet", *held, ("pages", "Table", ROW)))
	names = [*COLUMNS, "pages"]
	rows = [{"fieldname": n, "access": "Read and write", "aliases": f"{n}_alias"} for n in names]
	doctypes.sync(NAME, "wallet", "wallet", check_permissions=0, fields=rows)
	yield
	doctypes.remove(NAME, ROW)


@pytest.fixture
def secret(site):
	"""A private file of Administrator's that is attached to nothing."""
	doc = frappe.get_doc(
		{"doctype": "File", "file_name": new_id("s") + ".txt", "content": "secret", "is_private": 1}
	)
	doc.insert()
	frappe.db.commit()
	return doc
