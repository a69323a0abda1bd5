"""The cursor that a push answers with remembers what the device was shown, not what its user may see by now."""

import frappe

from hisabi_sync.engine import positions
from hisabi_sync.engine.model import cursor as cursors
from hisabi_sync.engine.pull import pull
from hisabi_sync.engine.sharing import spaces
from tests.visibility.world import CHIEF, SECRET_VALUES, as_user


def test_rights_that_widened_since_the_acknowledgement_bring_the_records_again(office):
	note, clerk = office.note(), office.clerk
	with as_user(clerk.user):
		page = pull(clerk, limit=5000)
		caller = spaces.authorise(clerk)
		positions.acknowledge(caller, cursors.decode(page.next_cursor, caller.space))
		frappe.db.commit()
	assert "salary" not in next(item.payload for item in page.items if item.client_id == note)
	frappe.get_doc("User", clerk.user).add_roles(CHIEF)
	frappe.db.commit()
	frappe.clear_cache(user=clerk.user)
	with as_user(clerk.user):
		given = positions.after_push(spaces.authorise(clerk))
		later = pull(clerk, given, limit=5000)
	(again,) = (item.payload for item in later.items if item.client_id == note)
	assert again["salary"] == SECRET_VALUES["salary"]


def test_with_the_same_rights_nothing_is_sent_again(office):
	office.note()
	with as_user(office.clerk.user):
		page = pull(office.clerk, limit=5000)
		caller = spaces.authorise(office.clerk)
		positions.acknowledge(caller, cursors.decode(page.next_cursor, caller.space))
		frappe.db.commit()
		assert not pull(office.clerk, positions.after_push(caller), limit=5000).items
