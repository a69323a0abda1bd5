"""A file is downloaded, and named, by who uploaded it and by who is shown a record that names it; nobody learns more."""

from datetime import timedelta

import frappe
import pytest

from benchmarks.count_statements import Counted
from hisabi_sync import tenants
from hisabi_sync.engine import failed_items as failed
from hisabi_sync.engine.model import clock, files, ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.resolution import cases
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.media import collect, rows, use
from hisabi_sync.patches.v0_2 import named_media
from tests.media import shown
from tests.media.s3 import s3_upload
from tests.media.shown import COUNTRY, ELSEWHERE, NAME
from tests.media.test_fields import _desk
from tests.media.uploads import PNG, attachment, download_url, get, refused, token, upload
from tests.mobile import app as mobile
from tests.support.phone import create, delete, new_id, update
from tests.wallet_api.people import new_phone, new_wallet

TENANT_NAME = f"{NAME} T"
BLIND = ("guest", "kept")  # who may not read the chief's records in Yemen
SEEING = ("chief", "second", "clerk")
UNKNOWN = "0" * 32
ATTACHMENT = "Hisabi Attachment"


@pytest.fixture(scope="module", autouse=True)
def sealed(site):
	shown.make(NAME, "wallet", "wallet")
	yield
	shown.remove(NAME)


@pytest.fixture(scope="module")
def people(sealed):
	return shown.make_people()


@pytest.fixture(scope="module")
def office(server, site, people):
	"""{name: Phone} in one wallet."""
	wallet = new_wallet(people["chief"])
	from hisabi_sync.hisabi_wallet import members

	for who in ("second", "clerk", "guest", "kept"):
		members.ensure(wallet, people[who], "admin" if who == "second" else "member")
	frappe.db.commit()
	return {who: new_phone(server, site, user, wallet) for who, user in people.items()}


def made(phone, **payload):
	"""Client id of a record of the phone's."""
	(result,) = phone.push(create(NAME, **{"country": COUNTRY, **payload}))
	assert result["status"] == "accepted", result
	return result["client_id"]


def answer(phone, key):
	response = phone.call("media.download_url", {"key": key, "device_id": phone.device_id})
	return response.status_code, response.json()


def is_given(phone, key):
	"""Whether a phone gets the file; a key that it may not use is answered as one that nobody has."""
	status, body = answer(phone, key)
	if status == 200:
		return get(body["message"]["url"]).content == PNG
	assert (status, body) == answer(phone, UNKNOWN)
	return False


def given(office, key):
	return tuple(who for who, phone in office.items() if is_given(phone, key))


def name_of(client_id, doctype=NAME):
	frappe.db.rollback()
	filters = {"client_id": client_id, "entity_type": doctype}
	return frappe.db.get_value("Sync Record", filters, "document_name")


def record_of(phone, client_id):
	return ids.record(ids.space("wallet", phone.wallet_id), NAME, client_id)


def media(key):
	frappe.db.rollback()
	return rows.get(key)


def attached(phone, status="accepted", **payload):
	"""Client id of an attachment of the phone's."""
	(result,) = phone.push(attachment(**payload))
	assert result["status"] == status, result
	return result["client_id"]


# --- downloads


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


def _leave_deleted(phone, client_id):
	phone.push(delete(ATTACHMENT, client_id, 1))


def _leave_replaced(phone, client_id):
	(result,) = phone.push(update(ATTACHMENT, client_id, 1, file_id=upload(phone)))
	assert result["status"] == "accepted", result


def _leave_emptied(phone, client_id):
	(result,) = phone.push(update(ATTACHMENT, client_id, 1, file_id=None))
	assert result["status"] == "accepted", result


@pytest.mark.parametrize("leave", (_leave_deleted, _leave_replaced, _leave_emptied))
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
	_leave_replaced(office["second"], client_id)
	item = update(ATTACHMENT, client_id, 1, file_id=key, owner_client_id=new_id("t"))
	(stale,) = office["guest"].push(item)
	assert stale["status"] in ("accepted", "conflict"), stale
	assert given(office, key) == ("chief",)


def test_a_file_that_was_replaced_is_shown_no_more(office, server):
	"""Also not to who reads every field of the record, nor in the Desk."""
	chief, key = office["chief"], upload(office["chief"])
	client_id = made(chief, photo=key)
	session = _desk(server, shown.make_user(shown.CHIEF))
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


# --- names


def refusal(phone, item):
	(result,) = phone.push(item)
	assert result["status"] == "error", result
	return {name: result.get(name) for name in ("error_code", "error_message", "detail")}


FIELDS = (
	lambda key: {"photo": key},
	lambda key: {"photo": files.url_of(key)},
	lambda key: {"pages": [{"picture": key}]},
)


@pytest.mark.parametrize("who", BLIND)
@pytest.mark.parametrize("payload", FIELDS)
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


# --- people who decide


def clash(phone, key):
	"""(client id, conflict) of a photo that the phone wants and another one has changed."""
	client_id = made(phone, photo=upload(phone))
	doc = frappe.get_doc(NAME, name_of(client_id))
	doc.photo = "https://desk.example/2.png"
	doc.save()
	frappe.db.commit()
	(lost,) = phone.push(update(NAME, client_id, 1, photo=key))
	assert lost["status"] == "conflict", lost
	return client_id, lost["conflict_id"]


def settled(user, name, choice, member=None, **more):
	frappe.db.rollback()
	frappe.set_user(user)
	try:
		cases.resolve(name, cases.Decision(choice, **more), member=member)
		frappe.db.commit()
	finally:
		frappe.db.rollback()
		frappe.set_user("Administrator")


def person(*roles):
	return shown.make_user("Sync Manager", *roles)


@pytest.mark.parametrize("who", (shown.CHIEF, shown.CLERK), ids=("chief", "clerk"))
def test_who_settles_takes_the_file_of_the_change(office, who):
	key = upload(office["chief"])
	client_id, name = clash(office["chief"], key)
	settled(person(who), name, "accept_client")
	assert frappe.db.get_value(NAME, name_of(client_id), "photo") == files.url_of(key)
	assert is_given(office["clerk"], key)


def test_an_admin_who_settles_takes_it_too(office):
	key = upload(office["chief"])
	client_id, name = clash(office["chief"], key)
	second = office["second"]
	caller = spaces.authorise(Caller(second.user, ids.space("wallet", second.wallet_id)))
	settled(second.user, name, "accept_client", member=caller)
	assert frappe.db.get_value(NAME, name_of(client_id), "photo") == files.url_of(key)


def test_an_author_settles_with_his_own_file(office):
	key = upload(office["chief"])
	client_id, name = clash(office["chief"], key)
	(done,) = office["chief"].push(update(NAME, client_id, 2, photo=key) | {"resolves": name})
	assert done["status"] == "accepted", done


def test_a_record_of_its_own_takes_the_file_of_the_change(office):
	"""A create with a taken value has no record yet."""
	code, key = new_id("code"), upload(office["chief"])
	made(office["chief"], code=code)
	(lost,) = office["chief"].push(create(NAME, country=COUNTRY, code=code, photo=key))
	assert lost["error_code"] == "unique_violation", lost
	assert given(office, key) == ("chief",)
	frappe.db.rollback()
	name = frappe.db.get_value("Sync Conflict", {"client_id": lost["client_id"]}, "name")
	settled(person(shown.CHIEF), name, "manual_merge", values={"code": new_id("code")})
	assert frappe.db.get_value(NAME, name_of(lost["client_id"]), "photo") == files.url_of(key)
	assert given(office, key) == SEEING


def test_a_person_who_settles_lends_no_file_that_the_author_is_not_shown(office):
	"""What a change was kept with before it was judged is judged by its author's sight."""
	key = upload(office["chief"])
	made(office["chief"], photo=key)
	_, name = clash(office["guest"], upload(office["guest"]))
	frappe.db.set_value("Sync Conflict", name, "client_values", frappe.as_json({"photo": files.url_of(key)}))
	frappe.db.commit()
	with pytest.raises(RequestError) as caught:
		settled(person(shown.CHIEF), name, "accept_client")
	assert caught.value.extra["item_error_code"] == "file_not_allowed"


def test_a_person_who_edits_an_item_names_what_both_are_shown(office):
	key, hidden = upload(office["guest"]), upload(office["chief"])
	made(office["chief"], photo=hidden)
	item = create(NAME, country=COUNTRY, photo=UNKNOWN)
	assert office["guest"].push(item)[0]["error_code"] == "file_not_allowed"
	frappe.db.rollback()
	name = frappe.db.get_value("Sync Item", {"op_id": item["op_id"]})
	frappe.set_user(person(shown.CHIEF))
	try:
		again = failed.edit(name, {**item, "payload": {"country": COUNTRY, "photo": hidden}})
		assert (again["done"], again["error_code"]) == (False, "file_not_allowed")
		assert failed.edit(name, {**item, "payload": {"country": COUNTRY, "photo": key}})["done"]
	finally:
		frappe.db.rollback()
		frappe.set_user("Administrator")


def test_who_settles_takes_the_file_of_an_attachment(office):
	chief, second, key = office["chief"], office["second"], upload(office["chief"])
	client_id = attached(second, file_id=upload(second))
	_leave_replaced(second, client_id)
	(lost,) = chief.push(update(ATTACHMENT, client_id, 1, file_id=key))
	assert lost["status"] == "conflict", lost
	assert given(office, key) == ("chief",)
	space = ids.space("wallet", second.wallet_id)
	caller = spaces.authorise(Caller(second.user, space))
	settled(second.user, lost["conflict_id"], "accept_client", member=caller)
	assert given(office, key) == tuple(office)


# --- the mobile contract


@pytest.fixture(scope="module")
def tenant(server, site, people):
	"""{name: App} in one tenant, which has a DocType of its own."""
	shown.make(TENANT_NAME, tenants.SPACE_TYPE, "tenant")
	place = mobile.new_tenant()
	yield {who: mobile.new_app(server, site, place, user=user) for who, user in people.items()}
	shown.remove(TENANT_NAME)


def uploaded(app):
	from tests.mobile.test_media import uploaded as send

	return send(app)


def downloaded(tenant, key):
	"""Who gets the file; the others are answered as for a key that nobody has."""
	found = []
	for who, app in tenant.items():
		response, unknown = (app.call("media/download", {"key": k}) for k in (key, UNKNOWN))
		if response.status_code == 200:
			assert get(response.json()["url"]).status_code == 200
			found.append(who)
		else:
			assert (response.status_code, response.json()) == (unknown.status_code, unknown.json())
	return tuple(found)


def test_the_mobile_contract(tenant):
	key = uploaded(tenant["chief"])
	(result,) = tenant["chief"].push(mobile.create(TENANT_NAME, country=COUNTRY, photo=key))
	assert result["status"] == "ok", result
	assert downloaded(tenant, key) == SEEING
	for who in BLIND:
		codes = [
			tenant[who].push(mobile.create(TENANT_NAME, country=ELSEWHERE, photo=k))[0]["error_code"]
			for k in (key, UNKNOWN)
		]
		assert codes == ["file_not_allowed"] * 2
	assert downloaded(tenant, key) == SEEING


@pytest.mark.parametrize("answers", (lambda key: ({}, [key]), lambda key: ({"photo": key}, None)))
def test_a_submission_names_no_file_that_its_author_is_not_shown(tenant, answers):
	place = tenant["chief"].tenant
	survey = mobile.form(place, mobile.question("photo", "Photo"))
	key = uploaded(tenant["chief"])
	tenant["chief"].push(mobile.create(TENANT_NAME, country=COUNTRY, photo=key))
	for k in (key, UNKNOWN):
		data, listed = answers(k)
		(result,) = tenant["guest"].push(mobile.create("submission", form_id=survey, data=data, media=listed))
		assert (result["error_code"], result["detail"]) == ("media_not_usable", {k: ["not_uploaded"]})
	assert downloaded(tenant, key) == SEEING


def test_a_text_that_is_a_key_is_no_name_of_it(tenant):
	survey = mobile.form(tenant["chief"].tenant, mobile.question("note"))
	key = uploaded(tenant["chief"])
	tenant["chief"].push(mobile.create(TENANT_NAME, country=COUNTRY, photo=key))
	(result,) = tenant["guest"].push(mobile.create("submission", form_id=survey, data={"note": key}))
	assert result["status"] == "ok"
	assert downloaded(tenant, key) == SEEING


def test_a_submission_shows_its_files_to_the_whole_tenant(tenant):
	survey = mobile.form(tenant["chief"].tenant, mobile.question("photo", "Photo"))
	key = uploaded(tenant["guest"])
	(result,) = tenant["guest"].push(
		mobile.create("submission", form_id=survey, data={"photo": key}, media=[key])
	)
	assert result["status"] == "ok", result
	assert downloaded(tenant, key) == tuple(tenant)
	(again,) = tenant["clerk"].push(
		mobile.update("submission", result["server_id"], 1, data={"photo": key}, media=[key])
	)
	assert again["status"] == "ok", again
	(alone,) = tenant["chief"].push(mobile.update("submission", result["server_id"], 2, data={}))
	assert alone["status"] == "ok", alone


def test_a_submission_that_names_a_file_no_more_shows_it_no_more(tenant):
	survey = mobile.form(tenant["chief"].tenant, mobile.question("photo", "Photo"))
	for change in (
		lambda name: mobile.update("submission", name, 1, data={}, media=[]),
		lambda name: mobile.delete("submission", name, 1),
	):
		key = uploaded(tenant["chief"])
		(result,) = tenant["chief"].push(mobile.create("submission", form_id=survey, data={"photo": key}))
		assert downloaded(tenant, key) == tuple(tenant)
		(left,) = tenant["chief"].push(change(result["server_id"]))
		assert left["status"] == "ok", left
		assert downloaded(tenant, key) == ("chief",)
		(taken,) = tenant["guest"].push(mobile.create("submission", form_id=survey, data={"photo": key}))
		assert taken["error_code"] == "media_not_usable"


# --- the Desk


@pytest.mark.parametrize(
	"roles,status",
	(((), 404), ((shown.GUEST,), 404), ((shown.CHIEF,), 200)),
	ids=("no role", "guest", "chief"),
)
def test_the_list_of_uploads_has_those_of_documents_that_one_may_read(office, server, roles, status):
	key, waiting = upload(office["chief"]), upload(office["chief"])
	made(office["chief"], photo=key)
	user = person(*roles)
	session = _desk(server, user)
	url = f"{server.url}{files.url_of(key)}"
	assert session.get(url, timeout=30).status_code == status
	assert session.get(f"{server.url}/api/resource/Sync Media/{key}", timeout=30).status_code == status
	assert session.get(f"{server.url}{files.url_of(waiting)}", timeout=30).status_code == 200


def test_who_restores_a_document_restores_its_file(office):
	from frappe.core.doctype.deleted_document.deleted_document import restore

	key = upload(office["chief"])
	client_id = made(office["chief"], photo=key)
	name = name_of(client_id)
	frappe.delete_doc(NAME, name)
	frappe.db.commit()
	assert given(office, key) == ("chief",)
	deleted = frappe.db.get_value("Deleted Document", {"deleted_doctype": NAME, "deleted_name": name})
	frappe.set_user(person("System Manager", shown.CHIEF))
	try:
		restore(deleted, alert=False)
		frappe.db.commit()
	finally:
		frappe.set_user("Administrator")
	assert given(office, key) == SEEING


def test_a_document_with_a_file_is_saved_by_who_would_not_name_it(office):
	"""What it holds stays, also where no record knew of it before."""
	key = upload(office["chief"])
	name = name_of(made(office["chief"], photo=key, country=ELSEWHERE))
	frappe.db.set_value("Sync Media", key, {"user": "Administrator", "record": None})
	frappe.db.delete("Sync Record", {"document_name": name})
	frappe.db.commit()
	frappe.set_user(office["kept"].user)
	try:
		doc = frappe.get_doc(NAME, name)
		doc.note = "x"
		doc.save()
		frappe.db.commit()
	finally:
		frappe.set_user("Administrator")
	assert is_given(office["kept"], key)


def test_who_reads_the_document_but_not_the_field_does_not_look_at_the_file(office, server):
	key, other = upload(office["chief"]), upload(office["chief"])
	made(office["chief"], scan=key, photo=other)
	session = _desk(server, shown.make_user(shown.CLERK))
	looks = [session.get(f"{server.url}{files.url_of(k)}", timeout=30).status_code for k in (key, other)]
	assert looks == [403, 200]


def test_an_attachment_of_the_desk_names_what_its_author_may_look_at(office):
	key, other = upload(office["chief"]), upload(office["chief"])
	made(office["chief"], photo=key)
	(mine,) = office["guest"].push(attachment())
	doc = frappe.get_doc("Hisabi Attachment", name_of(mine["client_id"], "Hisabi Attachment"))
	frappe.set_user(person("Sync Manager"))
	try:
		doc.file_id = key
		with pytest.raises(frappe.ValidationError, match="file_id"):
			doc.run_method("validate")
	finally:
		frappe.db.rollback()
		frappe.set_user("Administrator")
	doc.reload()
	doc.file_id = other
	doc.save()
	frappe.db.commit()
	assert given(office, other) == tuple(office)


def test_a_submission_of_the_desk_shows_its_files(tenant):
	survey = mobile.form(tenant["chief"].tenant, mobile.question("photo", "Photo"))
	key = uploaded(tenant["chief"])
	given = {"doctype": "Field Submission", "tenant": tenant["chief"].tenant, "form_id": survey}
	frappe.get_doc({**given, "data": frappe.as_json({"photo": key})}).insert()
	frappe.db.commit()
	assert downloaded(tenant, key) == tuple(tenant)


@pytest.mark.parametrize("who", (shown.GUEST, shown.CHIEF), ids=("guest", "chief"))
def test_a_document_of_the_desk_names_what_its_author_may_look_at(office, who):
	key = upload(office["chief"])
	made(office["chief"], photo=key)
	user = shown.make_user(who)
	frappe.set_user(user)
	try:
		given = {"wallet": office["chief"].wallet_id, "country": ELSEWHERE, "photo": files.url_of(key)}
		doc = frappe.get_doc({"doctype": NAME, **given})
		if who == shown.GUEST:
			with pytest.raises(frappe.ValidationError):
				doc.insert()
		else:
			doc.insert()
			doc.note = "again"
			doc.save()
	finally:
		frappe.db.rollback()
		frappe.set_user("Administrator")


def test_files_that_the_desk_named_before_are_shown_after_an_upgrade(office, tenant):
	key, photo = upload(office["chief"]), uploaded(tenant["chief"])
	assert office["chief"].push(attachment(file_id=key))[0]["status"] == "accepted"
	survey = mobile.form(tenant["chief"].tenant, mobile.question("photo", "Photo"))
	tenant["chief"].push(mobile.create("submission", form_id=survey, data={"photo": photo}))
	frappe.db.rollback()
	frappe.db.set_value("Sync Media", {"name": ["in", [key, photo]]}, "record", None)
	frappe.db.commit()
	assert given(office, key) == tuple(office) and downloaded(tenant, photo) == tuple(tenant)
	named_media.execute()
	frappe.db.commit()
	assert media(key).record and media(photo).record
	assert given(office, key) == tuple(office) and downloaded(tenant, photo) == tuple(tenant)


# --- what is kept


def _delete_entity(name):
	frappe.delete_doc("Sync Entity", name, force=True)


def _change_types(name):
	for doctype, field in ((name, "photo"), (f"{name} Row", "picture")):
		doc = frappe.get_doc("DocType", doctype)
		next(df for df in doc.fields if df.fieldname == field).fieldtype = "Data"
		doc.save()


def _collected(key):
	"""Whether two daily runs, with the retention time before, between and after them, take the upload."""
	for _ in range(2):
		collect.follow_records({})
		long_ago = clock.now() - timedelta(days=1000)
		frappe.db.set_value(
			"Sync Media", {"name": key, "released_at": ["is", "set"]}, "released_at", long_ago
		)
		frappe.db.commit()
		collect.remove_released({})
	return media(key) is None


@pytest.mark.parametrize("change", (_delete_entity, _change_types))
@pytest.mark.parametrize("payload", FIELDS[1:], ids=("field", "row"))
def test_a_file_stays_while_a_document_names_it_whatever_becomes_of_its_type(office, change, payload):
	chief, name, key = office["chief"], f"{NAME} {new_id('K')}", upload(office["chief"])
	shown.make(name, "wallet", "wallet")
	try:
		(result,) = chief.push(create(name, country=COUNTRY, **payload(key)))
		assert result["status"] == "accepted", result
		document = name_of(result["client_id"], name)
		change(name)
		frappe.db.commit()
		assert not _collected(key)
		frappe.delete_doc(name, document, force=True)
		frappe.db.commit()
		assert _collected(key)
	finally:
		shown.remove(name)


@pytest.mark.parametrize("fieldtype", ("Button", "HTML", "Section Break"))
def test_uploads_are_collected_beside_the_column_of_a_field_that_holds_nothing_any_more(office, fieldtype):
	chief, name, key = office["chief"], f"{NAME} {new_id('K')}", upload(office["chief"])
	shown.make(name, "wallet", "wallet")
	try:
		(result,) = chief.push(create(name, country=COUNTRY, photo=key))
		assert result["status"] == "accepted", result
		document = name_of(result["client_id"], name)
		doc = frappe.get_doc("DocType", name)
		next(df for df in doc.fields if df.fieldname == "photo").update(
			{"fieldtype": fieldtype, "options": ""}
		)
		doc.save()
		frappe.db.commit()
		frappe.delete_doc(name, document, force=True)
		frappe.db.commit()
		assert _collected(key)
	finally:
		shown.remove(name)


# --- what it costs


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
