"""The stream of an RxDB collection."""

import frappe

from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.tenants import SPACE_TYPE
from tests.live.process import Stream
from tests.site.app import create, delete


def path(name, at="site"):
	return f"/rxdb/v1/{at}/{name}/0/pullStream"


def pulled(device, name, checkpoint):
	params = {**checkpoint, "limit": 100}
	return device.session.get(f"{device.url}/rxdb/v1/site/{name}/0/pull", params=params, timeout=30).json()


def test_documents_come_as_a_pull_has_them_and_a_pull_goes_on_from_there(pair, opens, kinds, names):
	one, other = pair
	with opens(other, path=path(names[0])) as stream:
		(made,) = one.push(create(kinds[0], title="A"))
		event = stream.next()
		assert event.name == "message"
		(document,) = event.data["documents"]
		assert (document["id"], document["title"], document["_deleted"]) == (made["id"], "A", False)
		assert pulled(other, names[0], event.data["checkpoint"])["documents"] == []
		one.push(delete(kinds[0], made["id"], made["version"]))
		(gone,) = stream.next().data["documents"]
		assert (gone["id"], gone["_deleted"]) == (made["id"], True)


def test_what_was_there_before_is_not_told(pair, opens, kinds, names):
	one, other = pair
	one.push(create(kinds[0], title="A"))
	with opens(other, path=path(names[0])) as stream:
		assert stream.is_quiet(1)
		one.push(create(kinds[1], title="a shop"))
		assert stream.is_quiet(1)


def test_many_documents_come_in_several_events(pair, opens, kinds, names):
	one, other = pair
	with opens(other, path=path(names[0])) as stream:
		one.push(*(create(kinds[0], title=str(n)) for n in range(150)))
		count = 0
		while count < 150:
			count += len(stream.next().data["documents"])
		assert count == 150


def test_a_stream_of_one_space_ends_with_the_membership(pair, opens, kinds, names):
	one, other = pair
	with opens(other, path=path(names[0], f"{SPACE_TYPE}/{one.tenant}")) as stream:
		spaces.set_member(ids.space(SPACE_TYPE, one.tenant), other.user, "member", "removed")
		frappe.db.commit()
		event = stream.next(1.5)
		assert (event.name, event.data["error_code"], event.data["purge"]) == (
			"refused",
			"space_access_denied",
			True,
		)
		assert stream.is_over(2)


def test_it_goes_on_where_it_was_broken_off(pair, opens, kinds, names):
	one, other = pair
	with opens(other, path=path(names[0])) as stream:
		one.push(create(kinds[0], title="A"))
		last = stream.next().id
	(made,) = one.push(create(kinds[0], title="B"))
	with opens(other, path=path(names[0]), headers={"Last-Event-ID": last}) as stream:
		assert [one["id"] for one in stream.next().data["documents"]] == [made["id"]]


def test_an_app_that_gets_too_old_is_told_so_and_cut_off(pair, opens, kinds, names):
	entity = frappe.get_doc("Sync Entity", kinds[0])
	with opens(pair[1], path=path(names[0])) as stream:
		entity.client_minimum = 1
		entity.save()
		frappe.db.commit()
		event = stream.next()
		assert (event.name, event.data["error_code"]) == ("refused", "client_outdated")
		assert stream.is_over(2)
	entity.client_minimum = 0
	entity.save()
	frappe.db.commit()


def test_a_ticket_opens_it(pair, live, kinds, names, site):
	one, other = pair
	address = f"{other.url}{path(names[0])}/ticket"
	ticket = other.session.post(address, json={}, timeout=10).json()["ticket"]
	with Stream(live.url, {"X-Frappe-Site-Name": site}, path=path(names[0]), ticket=ticket) as stream:
		one.push(create(kinds[0], title="A"))
		assert len(stream.next().data["documents"]) == 1


def test_the_refusals_are_those_of_a_pull(pair, opens):
	answer = opens(pair[0], path=path("nothing")).answer
	assert (answer.status_code, answer.json()["error_code"]) == (404, "unknown_collection")
	answer = opens(pair[0], path=path("nothing", f"{SPACE_TYPE}/nowhere")).answer
	assert (answer.status_code, answer.json()["error_code"]) == (403, "space_access_denied")
