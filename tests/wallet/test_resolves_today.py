"""The rest of an earlier change is judged by what is there, and by what fields take, when its conflict is settled."""

import frappe
import pytest

from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.resolution import cases
from tests.support import doctypes
from tests.support.phone import account, create, delete, update
from tests.wallet.test_resolves import ACCOUNT, resolve, row_of
from tests.wallet.wire import payload_of

pytestmark = pytest.mark.thorough  # minutes long


@pytest.fixture
def gadget(site):
	"""Name of a new DocType that is synced, with a choice, a text, a link and rows with a link."""
	link = ("parent_one", "Link", ACCOUNT)
	own = ("color", ("note", "Small Text"), ("state", "Select", "Open\nPaused"), link)
	with doctypes.synced("Gadget", *own, rows=(link,)) as name:
		yield name


def edit(doctype, fieldname, **values):
	frappe.db.rollback()
	doc = frappe.get_doc("DocType", doctype)
	next(df for df in doc.fields if df.fieldname == fieldname).update(values)
	doc.save()
	frappe.db.commit()


def collide(phone, other, entity_type, made, **mine):
	"""The conflict of `other` over the color, whose change brought more."""
	assert phone.push(made)[0]["status"] == "accepted"
	phone.push(update(entity_type, made["entity_id"], 1, color="red"))
	(answer,) = other.push(update(entity_type, made["entity_id"], 1, color="blue", **mine))
	assert (answer["status"], answer["conflict_fields"]) == ("conflict", ["color"])
	return answer


def refused(phone, conflict, code, **choices):
	(result,) = phone.push(resolve(conflict, **choices))
	assert (result["status"], result.get("error_code")) == ("error", code), result
	assert row_of(conflict).status == "Open"


def accepted(phone, conflict, **choices):
	(result,) = phone.push(resolve(conflict, **choices))
	assert result["status"] == "accepted", result
	return result["server_record"]


def test_a_link_to_what_was_deleted_meanwhile(shared, sibling):
	other, made = account(), account(color="white")
	shared.push(other)
	conflict = collide(shared, sibling, ACCOUNT, made, parent_account=other["entity_id"])
	assert shared.push(delete(ACCOUNT, other["entity_id"], 1))[0]["status"] == "accepted"
	refused(sibling, conflict, "invalid_link", color="green")
	assert accepted(sibling, conflict, color="green", parent_account=None)["color"] == "green"


def test_who_deletes_the_record_settles_it_whatever_the_change_named(shared, sibling):
	other, made = account(), account(color="white")
	shared.push(other)
	conflict = collide(shared, sibling, ACCOUNT, made, parent_account=other["entity_id"])
	shared.push(delete(ACCOUNT, other["entity_id"], 1))
	item = {**delete(ACCOUNT, made["entity_id"], 2), "resolves": conflict["conflict_id"]}
	assert sibling.push(item)[0]["status"] == "accepted"


def test_a_link_in_a_row_to_what_was_deleted_meanwhile(shared, sibling, gadget):
	gone, stays = account(), account()
	shared.push(gone, stays)
	links = [{"parent_one": one["entity_id"]} for one in (gone, stays)]
	conflict = collide(shared, sibling, gadget, create(gadget, color="white"), lines=links)
	assert shared.push(delete(ACCOUNT, gone["entity_id"], 1))[0]["status"] == "accepted"
	refused(sibling, conflict, "invalid_link", color="green")


def test_links_that_are_there_come_with_the_rest(shared, sibling, gadget):
	one, other = account(), account()
	shared.push(one, other)
	mine = {"parent_one": one["entity_id"], "lines": [{"parent_one": other["entity_id"]}]}
	conflict = collide(shared, sibling, gadget, create(gadget, color="white"), **mine)
	held = accepted(sibling, conflict, color="green")
	assert held["parent_one"] == one["entity_id"]
	assert [row["parent_one"] for row in held["lines"]] == [other["entity_id"]]


def test_a_choice_that_is_gone(shared, sibling, gadget):
	conflict = collide(shared, sibling, gadget, create(gadget, color="white", state="Open"), state="Paused")
	edit(gadget, "state", options="Open\nClosed")
	refused(sibling, conflict, "invalid_choice", color="green")
	with pytest.raises(RequestError) as error:
		cases.resolve(conflict["conflict_id"], cases.Resolution("accept_client"))
	assert error.value.extra["item_error_code"] == "invalid_choice"
	frappe.db.rollback()
	assert accepted(sibling, conflict, color="green", state="Closed")["state"] == "Closed"


def test_what_the_record_holds_may_stay_though_nobody_could_send_it(shared, sibling, gadget):
	conflict = collide(shared, sibling, gadget, create(gadget, color="white", state="Paused"), note="x")
	edit(gadget, "state", options="Open\nClosed")
	cases.resolve(conflict["conflict_id"], cases.Resolution("accept_server"))
	frappe.db.commit()
	assert payload_of(shared, gadget, conflict["entity_id"])["color"] == "red"


def test_a_text_that_is_too_long_by_now(shared, sibling, gadget):
	conflict = collide(shared, sibling, gadget, create(gadget, color="white", note="x"), note="y" * 300)
	edit(gadget, "note", fieldtype="Data")
	(result, other) = sibling.push(resolve(conflict, color="green"), create(gadget, color="n"))
	assert (result["status"], result["error_code"]) == ("error", "invalid_value"), result
	assert "note" in str(result.get("error_detail") or result.get("detail") or result)
	assert other["status"] == "accepted"
