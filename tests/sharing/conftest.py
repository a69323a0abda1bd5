"""The sales force, made once and taken away again."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from tests.sharing import world


@pytest.fixture(scope="module", autouse=True)
def sales(site):
	frappe.set_user("Administrator")
	retry.run(world.ensure)
	yield
	world.remove()


@pytest.fixture(autouse=True)
def own_kinds(sales):
	"""Each test sees the space types that it made and those of its module; the rules of others would follow its documents too."""
	before = set(world.kinds())
	yield
	frappe.set_user("Administrator")
	frappe.db.rollback()
	world.remove_kinds(set(world.kinds()) - before)
