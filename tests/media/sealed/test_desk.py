"""People in the Desk look at files, and name them, by what they may read."""

import frappe
import pytest

from hisabi_sync.engine.model import files
from tests.media.reports.documents import desk_session
from tests.media.sealed import documents
from tests.media.sealed.documents import (
	ELSEWHERE,
	NAME,
	SEEING,
	given,
	is_given,
	made,
	name_of,
	person,
)
from tests.media.uploads import attachment, upload


@pytest.mark.parametrize(
	"roles,status",
	(((), 404), ((documents.GUEST,), 404), ((documents.CHIEF,), 200)),
	ids=("no role", "guest", "chief"),
)
def test_the_list_of_uploads_has_those_of_documents_that_one_may_read(office, server, roles, status):
	key, waiting = upload(office["chief"]), upload(office["chief"])
	made(office["chief"], photo=key)
	user = person(*roles)
	session = desk_session(server, user)
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
	frappe.set_user(person("System Manager", documents.CHIEF))
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
	session = desk_session(server, documents.make_user(documents.CLERK))
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


@pytest.mark.parametrize("who", (documents.GUEST, documents.CHIEF), ids=("guest", "chief"))
def test_a_document_of_the_desk_names_what_its_author_may_look_at(office, who):
	key = upload(office["chief"])
	made(office["chief"], photo=key)
	user = documents.make_user(who)
	frappe.set_user(user)
	try:
		given = {"wallet": office["chief"].wallet_id, "country": ELSEWHERE, "photo": files.url_of(key)}
		doc = frappe.get_doc({"doctype": NAME, **given})
		if who == documents.GUEST:
			with pytest.raises(frappe.ValidationError):
				doc.insert()
		else:
			doc.insert()
			doc.note = "again"
			doc.save()
	finally:
		frappe.db.rollback()
		frappe.set_user("Administrator")
