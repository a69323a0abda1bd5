"""A file is downloaded, and named, by who uploaded it and by who is shown a record that names it; nobody learns more."""

import frappe
import pytest

from hisabi_sync.engine.model import files
from tests.media.reports.documents import desk_session
from tests.media.s3 import s3_upload
from tests.media.sealed import documents
from tests.media.sealed.documents import (
	ATTACHMENT,
	BLIND,
	COUNTRY,
	ELSEWHERE,
	NAME,
	SEEING,
	attached,
	given,
	is_given,
	leave_deleted,
	leave_emptied,
	leave_replaced,
	made,
	media,
	name_of,
	refusal,
)
from tests.media.uploads import PNG, attachment, download_url, get, refused, token, upload
from tests.support.phone import create, delete, new_id, update
from tests.wallet_api.people import new_phone, new_wallet


@pytest.mark.parametrize("payload", (lambda key: {"photo": key}, lambda key: {"pages": [{"picture": key}]}))
def test_a_file_is_given_to_who_is_shown_the_record(office, payload):
	key = upload(office["chief"])
	made(office["chief"], **payload(key))
	assert given(office, key) == SEEING


@pytest.mark.parametrize("payload", (lambda key: {"scan": key}, lambda key: {"pages": [{"receipt": key}]}))
def test_a_file_in_a_field_above_the_callers_level_is_not_given(office, payload):
	key = upload(office["chief"])
	made(office["chief"], **payload(key))
	assert given(office, key) == ("chief", "second")
	made(office["chief"], photo=key)
	assert given(office, key) == SEEING


def test_an_upload_that_no_record_names_is_its_uploaders(office):
	key = upload(office["chief"])
	assert given(office, key) == ("chief",)


@pytest.mark.parametrize("countries", ((COUNTRY, ELSEWHERE), (ELSEWHERE, COUNTRY)))
def test_any_record_that_is_shown_will_do(office, countries):
	"""Whichever of them named the file last."""
	key = upload(office["chief"])
	for country in countries:
		made(office["chief"], photo=key, country=country)
	assert given(office, key) == (*SEEING, "kept")


def test_what_is_deleted_or_replaced_is_shown_no_more(office):
	chief, key, other = office["chief"], upload(office["chief"]), upload(office["chief"])
	gone, here = made(chief, photo=key), made(chief, scan=other)
	chief.push(delete(NAME, gone, 1))
	chief.push(update(NAME, here, 1, scan=None))
	assert given(office, key) == ("chief",)
	assert "clerk" not in given(office, other) and not set(BLIND) & set(given(office, other))


@pytest.mark.parametrize("leave", (leave_deleted, leave_replaced, leave_emptied))
@pytest.mark.parametrize("is_sealed", (False, True), ids=("alone", "sealed"))
def test_an_attachment_that_names_a_file_no_more_shows_it_no_more(office, leave, is_sealed):
	"""Nor may another one name it; a record that few are shown keeps it for those."""
	chief, key = office["chief"], upload(office["chief"])
	if is_sealed:
		made(chief, photo=key)
	client_id = attached(chief, file_id=key)
	assert given(office, key) == tuple(office)
	leave(chief, client_id)
	assert given(office, key) == (SEEING if is_sealed else ("chief",))
	assert refusal(office["guest"], attachment(file_id=key))["error_code"] == "invalid_link"


def test_a_refused_attachment_shows_no_file(office):
	key, client_id = upload(office["chief"]), new_id("a")
	attached(office["chief"], "error", client_id=client_id, file_id=key, file_size=1)
	attached(office["guest"], client_id=client_id)
	assert given(office, key) == ("chief",)
	assert refusal(office["guest"], attachment(file_id=key))["error_code"] == "invalid_link"


def test_a_stale_attachment_says_its_old_file_once_more(office):
	"""What the record held since the change's base is no new name of it."""
	key = upload(office["chief"])
	client_id = attached(office["chief"], file_id=key)
	leave_replaced(office["second"], client_id)
	item = update(ATTACHMENT, client_id, 1, file_id=key, owner_client_id=new_id("t"))
	(stale,) = office["guest"].push(item)
	assert stale["status"] in ("accepted", "conflict"), stale
	assert given(office, key) == ("chief",)


def test_a_file_that_was_replaced_is_shown_no_more(office, server):
	"""Also not to who reads every field of the record, nor in the Desk."""
	chief, key = office["chief"], upload(office["chief"])
	client_id = made(chief, photo=key)
	session = desk_session(server, documents.make_user(documents.CHIEF))
	view = f"{server.url}{files.url_of(key)}"
	assert session.get(view, timeout=30).status_code == 200
	assert chief.push(update(NAME, client_id, 1, photo=upload(chief)))[0]["status"] == "accepted"
	assert given(office, key) == ("chief",)
	assert session.get(view, timeout=30).status_code == 403


def test_a_url_ends_with_the_sight_of_the_record(office, people):
	key = upload(office["chief"])
	name = name_of(made(office["chief"], photo=key, country=ELSEWHERE))
	urls = [download_url(office["kept"], key) for _ in range(3)]
	assert get(urls[0], token(office["kept"])).status_code == 200
	frappe.db.set_value(NAME, name, "country", COUNTRY)
	frappe.db.commit()
	refused(get(urls[1]), 403, "wallet_access_denied")
	refused(get(urls[0], {"Range": "bytes=4-", **token(office["kept"])}), 403, "wallet_access_denied")
	frappe.db.set_value(NAME, name, "country", ELSEWHERE)
	frappe.db.commit()
	assert get(urls[2]).content == PNG


def test_a_removed_member_is_told_of_a_key_as_of_none(server, site, people):
	from hisabi_sync.hisabi_wallet import members

	wallet = new_wallet(people["chief"], member=people["clerk"])
	phones = {who: new_phone(server, site, people[who], wallet) for who in ("chief", "clerk")}
	key = upload(phones["chief"])
	made(phones["chief"], photo=key)
	assert is_given(phones["clerk"], key)
	members.change(wallet, "owner", people["clerk"], status="removed")
	frappe.db.commit()
	assert not is_given(phones["clerk"], key)


def test_a_file_in_s3(office, bucket):
	key = s3_upload(office["chief"])
	made(office["chief"], photo=key)
	assert given(office, key) == SEEING
	for who in BLIND:
		(result,) = office[who].push(create(NAME, photo=key, country=ELSEWHERE))
		assert result["error_code"] == "file_not_allowed"


def test_an_upload_to_s3_is_taken_for_who_uploaded_it_only(office, bucket):
	key = s3_upload(office["chief"])
	(result,) = office["clerk"].push(create(NAME, photo=key, country=COUNTRY))
	assert result["error_code"] == "file_not_allowed" and media(key).state == "Pending"
	assert (
		result["error_message"] == "Neither a finished upload of yours nor a file that the record has: photo"
	)
	made(office["chief"], photo=key)
	assert is_given(office["clerk"], key)
