"""Sales regions and visits (`tests.sharing.world`), tenants, and devices of the people in them."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from tests.sharing import world
from tests.site.app import new_device
from tests.support import doctypes


@pytest.fixture(scope="module")
def sales(site):
	"""A space type whose spaces are regions, in which visits lie; reps are members of the regions of their rows."""
	frappe.set_user("Administrator")
	retry.run(world.ensure)
	kind = world.kind(world.by_rep(), world.by_rep(user_path="team", member_role="viewer"))
	retry.run(lambda: doctypes.sync(world.VISIT, kind, "region"))
	yield kind
	frappe.set_user("Administrator")
	frappe.db.rollback()
	frappe.delete_doc("Sync Entity", world.VISIT)
	frappe.db.commit()
	world.remove()


@pytest.fixture
def rep(server, site, sales):
	"""A function that makes the device of a new person, who is a rep in these regions."""

	def made(*regions, person=None):
		person = person or world.user("Hisabi User", world.ROLE)
		device = new_device(server, site, person)
		device.rows = {region: world.document(world.REP, user=person, region=region) for region in regions}
		return device

	return made
