"""First pulls that last while others write, and what garbage collection may not take away from replicas."""

import frappe

from hisabi_sync.engine import garbage, positions
from hisabi_sync.engine.model import cursor as cursors
from hisabi_sync.engine.sharing import spaces
from tests.engine.inside import Device, make_user, make_wallet, space_of
from tests.support.phone import account, create, delete, update


def test_a_delete_during_a_first_pull_is_told(device, other):
	items = [account() for _ in range(4)]
	device.push(*items)
	first = other.page(None, 3)
	held = {item.client_id for item in first.items}
	victim = next(item["entity_id"] for item in items if item["entity_id"] in held)
	device.push(delete("Hisabi Account", victim, 1))
	rest, _ = other.pull(first.next_cursor, 2)
	assert [item.client_id for item in rest if item.deleted_at] == [victim]


def test_an_update_during_a_first_pull_is_told_once(device, other):
	items = [account() for _ in range(4)]
	device.push(*items)
	first = other.page(None, 3)
	key = next(i["entity_id"] for i in items if i["entity_id"] in {item.client_id for item in first.items})
	device.push(update("Hisabi Account", key, 1, icon="x"))
	rest, _ = other.pull(first.next_cursor, 1)
	assert [item.doc_version for item in rest if item.client_id == key] == [2]


def test_a_first_pull_has_no_tombstones(device, other):
	item = account()
	device.push(item)
	device.push(delete("Hisabi Account", item["entity_id"], 1))
	assert not [item for item in other.pull(None, 1)[0] if item.deleted_at]


def acknowledge(device, cursor):
	caller = spaces.authorise(device.caller())
	positions.acknowledge(caller, cursors.decode(cursor, caller.space))
	frappe.db.commit()


def test_a_link_reads_the_same_before_and_after_its_tombstone_is_collected(site):
	"""Who pulled the template before and who pulls it afterwards must hold the same."""
	user = make_user("snapshot")
	device = Device(user, make_wallet(user), "snapshot")
	bucket = create("Hisabi Bucket", title="b", bucket_name="b")
	rows = [{"bucket_id": bucket["entity_id"], "percentage": 1}]
	template = create("Hisabi Bucket Template", title="t", template_items=rows)
	device.push(bucket, template)
	device.push(delete("Hisabi Bucket", bucket["entity_id"], 1))
	items, cursor = device.pull()
	acknowledge(device, cursor)
	garbage.collect_space(space_of(device.wallet))
	replicas = [
		next(item.payload["template_items"] for item in pulled if item.client_id == template["entity_id"])
		for pulled in (items, device.pull()[0])
	]
	assert replicas[0] == replicas[1]
