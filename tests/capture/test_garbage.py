"""Tombstones go only behind the oldest live device, and whoever is behind that has to start over."""

import frappe
import pytest

from hisabi_sync.engine import garbage, positions, pull
from hisabi_sync.engine.model import cursor
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.sharing import spaces
from tests.capture.conftest import join_team
from tests.support.engine import change, fetch, send
from tests.support.phone import new_id


def _acknowledge(caller, token):
	positions.acknowledge(spaces.authorise(caller), cursor.decode(token, caller.space))
	frappe.db.commit()


def _delete_one(caller):
	client_id = new_id("contact")
	outcomes = send(
		caller, change("Contact", client_id, first_name="x"), change("Contact", client_id, "delete", 1)
	)
	assert [outcome.status for outcome in outcomes] == ["accepted", "accepted"]


def _tombstones(caller):
	return frappe.db.count("Sync Record", {"space": caller.space, "deleted_at": ["is", "set"]})


def test_a_device_that_has_not_acknowledged_holds_tombstones_back(team):
	other = join_team(team.space_key, team.user)
	_delete_one(team)
	_acknowledge(team, fetch(team)[1])
	assert garbage.collect_space(team.space) == 0 and _tombstones(team) == 1
	_acknowledge(other, fetch(other)[1])
	assert garbage.collect_space(team.space) == 1 and _tombstones(team) == 0


def test_a_device_behind_the_horizon_must_start_over_and_can(team):
	send(team, change("ToDo", new_id(), description="stays"))
	_, old = fetch(team)
	_delete_one(team)
	_acknowledge(team, fetch(team)[1])
	garbage.collect_space(team.space)
	with pytest.raises(RequestError) as refused:
		fetch(team, old)
	assert (refused.value.code, refused.value.extra) == ("resync_required", {"reason": "position_too_old"})
	items, _ = fetch(team)
	assert [i.payload["description"] for i in items] == ["stays"]


def test_a_first_pull_that_lasts_over_a_collection_loses_no_delete(team):
	ids = [new_id("contact") for _ in range(4)]
	send(team, *(change("Contact", client_id, first_name="x") for client_id in ids))
	frappe.set_user(team.user)
	page = pull.pull(team, None, 2)
	send(team, change("Contact", page.items[0].client_id, "delete", 1))
	_acknowledge(team, fetch(team)[1])
	garbage.collect_space(team.space)
	with pytest.raises(RequestError) as refused:
		fetch(team, page.next_cursor)
	assert refused.value.code == "resync_required"


def test_a_position_never_moves_back(team):
	_delete_one(team)
	_, early = fetch(team)
	_delete_one(team)
	_, late = fetch(team)
	_acknowledge(team, late)
	_acknowledge(team, early)
	held = frappe.db.get_value("Sync Device Position", positions.name_of(team), "acknowledged")
	assert held == cursor.decode(late, team.space).position


def test_a_position_that_was_never_handed_out_is_answered_with_a_resync(team):
	_delete_one(team)
	_, token = fetch(team)
	frappe.db.set_value("Sync Space", team.space, "sequence", 0)
	frappe.db.commit()
	with pytest.raises(RequestError) as refused:
		fetch(team, token)
	assert refused.value.extra == {"reason": "position_unknown"}
