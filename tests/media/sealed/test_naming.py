"""Records name files that their author uploaded, or is shown; what decides that costs no statement for each file."""

import frappe
import pytest

from benchmarks.count_statements import Counted
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.media import use
from tests.media.sealed.documents import (
	BLIND,
	ELSEWHERE,
	NAME,
	NAMINGS,
	SEEING,
	UNKNOWN,
	given,
	made,
	media,
	record_of,
	refusal,
)
from tests.media.uploads import attachment, upload
from tests.support.phone import create, delete, new_id, update


@pytest.mark.parametrize("who", BLIND)
@pytest.mark.parametrize("payload", NAMINGS)
def test_who_is_not_shown_a_file_names_it_in_no_record(office, who, payload):
	key = upload(office["chief"])
	first = made(office["chief"], photo=key)
	wanted, unknown = (
		refusal(office[who], create(NAME, country=ELSEWHERE, **payload(k))) for k in (key, UNKNOWN)
	)
	assert wanted == unknown and wanted["error_code"] == "file_not_allowed"
	mine = made(office[who], country=ELSEWHERE)
	assert refusal(office[who], update(NAME, mine, 1, **payload(key)))["error_code"] == "file_not_allowed"
	assert media(key).record == record_of(office["chief"], first)
	assert given(office, key) == SEEING


@pytest.mark.parametrize("who", BLIND)
def test_who_is_not_shown_a_file_names_it_in_no_attachment(office, who):
	key = upload(office["chief"])
	made(office["chief"], photo=key)
	wanted, unknown = (refusal(office[who], attachment(file_id=k)) for k in (key, UNKNOWN))
	assert wanted == unknown and wanted["error_code"] == "invalid_link"
	(mine,) = office[who].push(attachment())
	found = refusal(office[who], update("Hisabi Attachment", mine["client_id"], 1, file_id=key))
	assert found["error_code"] == "invalid_link" and given(office, key) == SEEING


def test_a_field_above_the_callers_level_lends_no_file(office):
	key = upload(office["chief"])
	made(office["chief"], scan=key)
	for item in (create(NAME, photo=key), create(NAME, pages=[{"picture": key}])):
		assert refusal(office["clerk"], item)["error_code"] == "file_not_allowed"
	assert refusal(office["clerk"], attachment(file_id=key))["error_code"] == "invalid_link"
	assert given(office, key) == ("chief", "second")


def test_an_upload_of_somebody_else_is_named_by_nobody(office):
	key = upload(office["chief"])
	assert refusal(office["second"], create(NAME, photo=key))["error_code"] == "file_not_allowed"
	assert refusal(office["second"], attachment(file_id=key))["error_code"] == "invalid_link"


def test_who_is_shown_a_file_may_name_it(office):
	key = upload(office["chief"])
	made(office["chief"], photo=key)
	copy = made(office["clerk"], photo=key, country=ELSEWHERE)
	assert given(office, key) == (*SEEING, "kept")
	(attached,) = office["kept"].push(attachment(file_id=key))
	assert attached["status"] == "accepted"
	assert given(office, key) == (*SEEING, "guest", "kept")
	office["clerk"].push(delete(NAME, copy, 1))
	made(office["chief"], photo=key)
	assert given(office, key) == (*SEEING, "guest", "kept")


def test_an_update_says_its_own_key_once_more(office):
	key = upload(office["guest"])
	mine = made(office["guest"], photo=key, pages=[{"picture": key}])
	for phone, version in ((office["guest"], 1), (office["clerk"], 2), (office["guest"], 3)):
		(kept,) = phone.push(update(NAME, mine, version, photo=key, note=new_id("n")))
		assert kept["status"] == "accepted", kept
	# Another record names it last, which the guest is not shown.
	made(office["chief"], photo=key)
	(kept,) = office["guest"].push(update(NAME, mine, 4, photo=key, note="z"))
	assert kept["status"] == "accepted", kept


def test_a_dry_run_tells_no_more(office):
	key = upload(office["chief"])
	made(office["chief"], photo=key)
	results = [
		office["guest"].push(create(NAME, photo=k), dry_run=True)[0]["error_code"] for k in (key, UNKNOWN)
	]
	assert results == ["file_not_allowed"] * 2


def test_sight_costs_no_statement_a_key(office):
	"""Own uploads cost none; those of others the look at their records, however many."""
	chief, clerk, counts = office["chief"], office["clerk"], {}
	space = ids.space("wallet", chief.wallet_id)
	for number in (1, 5):
		keys = {upload(chief): new_id("record") for _ in range(number)}
		for key in keys:
			made(chief, photo=key)
		for phone in (chief, clerk):
			frappe.db.rollback()
			caller = Caller(phone.user, space, None, "wallet", phone.wallet_id)
			wanted = {key: media(key).record for key in keys}
			use.use(wanted, space, caller)
			with Counted() as seen:
				found = use.use(wanted, space, caller)
			assert found.keys() == keys.keys()
			counts[phone.user, number] = len(seen)
	assert counts[chief.user, 1] == counts[chief.user, 5] == 1
	assert counts[clerk.user, 1] == counts[clerk.user, 5] <= 5
