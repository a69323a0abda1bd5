"""Attachments travel with their record: once, whatever is repeated or lost, and within a size."""

import json
from hashlib import md5

import frappe
import pytest

from hisabi_sync.runs import attachments
from tests.runs import test_both_ways, test_erpnext, world
from tests.runs.test_both_ways import erp, papers
from tests.runs.test_lifecycle import PAPER, make, states

assert erp and papers  # fixtures
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def connect(operator, erp, both=("push", "pull"), **values):
	return test_both_ways.connect(operator, erp, both, attachments=1, attachment_limit=1, **values)


def attach(document, name="plan.png", content=PICTURE, **values):
	frappe.set_user("Administrator")
	given = {"attached_to_doctype": PAPER, "attached_to_name": document.name, "is_private": 1, **values}
	file = frappe.get_doc({"doctype": "File", "file_name": name, "content": content, **given}).insert()
	frappe.db.commit()
	return file


def attach_there(erp, document, name="plan.png", content=PICTURE, url=None):
	url = url or f"/private/files/{next(erp.site.numbers)}-{name}"
	erp.site.contents[url] = content
	given = {"attached_to_doctype": "Paper", "attached_to_name": document["name"], "file_name": name}
	checksum = md5(content, usedforsecurity=False).hexdigest()
	return erp.site.make("File", **given, file_url=url, content_hash=checksum, file_size=len(content))


def run(operator, connection, direction, mode="incremental"):
	return test_erpnext.run(operator, connection, "orders", mode=mode, direction=direction)


def there(erp):
	"""[(name, content)] of the other side's files."""
	return [
		(row["file_name"], erp.site.contents[row["file_url"]]) for row in erp.site.documents["File"].values()
	]


def here(operator):
	frappe.db.rollback()
	names = frappe.get_all(PAPER, {"tenant": operator.tenant}, pluck="name")
	found = frappe.get_all(
		"File",
		{"attached_to_doctype": PAPER, "attached_to_name": ["in", names]},
		pluck="name",
		order_by="creation",
	)
	docs = [frappe.get_doc("File", name) for name in found]
	return [(doc.file_name, bytes_of(doc), doc.is_private) for doc in docs]


def bytes_of(file):
	raw = file.get_content()
	return raw.encode() if isinstance(raw, str) else raw


def uploads(erp):
	return [path for method, path in erp.seen if method == "POST" and "upload_file" in path]


def test_a_file_goes_there_with_its_record_once(operator, erp):
	connection = connect(operator, erp, ("push",))
	attach(make(operator))
	for mode in ("full", "full", "incremental", "verify"):
		assert run(operator, connection, "push", mode)["status"] == "completed"
	assert there(erp) == [("plan.png", PICTURE)] and len(uploads(erp)) == 1
	(file,) = erp.site.documents["File"].values()
	assert (file["attached_to_doctype"], file["is_private"]) == ("Paper", 1)


def test_a_file_comes_here_with_its_record_once_and_private(operator, erp):
	connection = connect(operator, erp, ("pull",))
	document = erp.site.make("Paper", title="theirs")
	attach_there(erp, document, "../../plan <b>.png", url="/files/plan.png")
	for mode in ("full", "full", "incremental", "verify"):
		assert run(operator, connection, "pull", mode)["status"] == "completed"
	((name, content, private),) = here(operator)
	assert (content, private) == (PICTURE, 1) and "<" not in name and "/" not in name


@pytest.mark.parametrize("way", ["push", "pull"])
def test_a_file_that_was_added_later_is_found_by_an_incremental_run(operator, erp, way):
	"""Attaching leaves the document's own time as it was."""
	connection = connect(operator, erp)
	ours = make(operator)
	test_both_ways.both(operator, connection)
	(theirs,) = erp.site.documents["Paper"].values()
	attach(ours) if way == "push" else attach_there(erp, theirs)
	assert states(run(operator, connection, way)) == [("completed", "update")]
	assert there(erp) == [("plan.png", PICTURE)]
	assert [row[:2] for row in here(operator)] == [("plan.png", PICTURE)]
	assert not [one for one in states(run(operator, connection, way)) if one[0] != "skipped"]


def test_files_of_both_sides_do_not_echo(operator, erp):
	connection = connect(operator, erp)
	ours = make(operator)
	test_both_ways.both(operator, connection)
	(theirs,) = erp.site.documents["Paper"].values()
	attach(ours, "ours.txt", b"ours")
	attach_there(erp, theirs, "theirs.txt", b"theirs")
	for mode in ("incremental", "full", "full"):
		test_both_ways.both(operator, connection, mode)
	wanted = [("ours.txt", b"ours"), ("theirs.txt", b"theirs")]
	assert sorted(there(erp)) == sorted(row[:2] for row in here(operator)) == wanted


def test_a_file_that_both_sides_have_is_linked_and_not_sent(operator, erp):
	connection = connect(operator, erp)
	ours = make(operator)
	test_both_ways.both(operator, connection)
	(theirs,) = erp.site.documents["Paper"].values()
	attach(ours, "a.png")
	attach_there(erp, theirs, "b.png")
	test_both_ways.both(operator, connection, "full")
	assert (len(there(erp)), len(here(operator))) == (1, 1)


def test_a_file_whose_answer_was_lost_is_not_sent_again(operator, erp):
	connection = connect(operator, erp, ("push",))
	attach(make(operator))
	lost = []

	def lose(handler):
		if "upload_file" not in handler.path or lost:
			return False
		lost.append(handler.upload())
		lost[0]["content_hash"] = "of a picture that the site has made smaller"
		return not handler.answer(503, {})

	erp.interfere = lose
	done = run(operator, connection, "push")
	assert states(done) == [("failed", None)] and len(erp.site.documents["Paper"]) == 1
	assert run(operator, connection, "push", "full")["status"] == "completed"
	assert len(there(erp)) == len(uploads(erp)) == 1


def test_two_equal_files_of_a_document_are_two(operator, erp):
	connection = connect(operator, erp, ("push",))
	document = make(operator)
	attach(document, "a.txt", b"same")
	attach(document, "b.txt", b"same")
	for _ in range(2):
		run(operator, connection, "push", "full")
	assert sorted(there(erp)) == [("a.txt", b"same"), ("b.txt", b"same")]


@pytest.mark.parametrize("way", ["push", "pull"])
def test_what_is_too_large_is_left_out_and_told(operator, erp, way):
	connection = connect(operator, erp, (way,))
	large = b"x" * (1024 * 1024 + 1)
	if way == "push":
		attach(make(operator), "large.bin", large)
	else:
		attach_there(erp, erp.site.make("Paper", title="theirs"), "large.bin", large)
	done = run(operator, connection, way, "full")
	(record,) = done["records"]
	assert (record["status"], record["error_code"]) == ("completed", "attachments_left_out")
	assert "large.bin" in record["error_message"]
	assert len(there(erp)) == (way == "pull") and len(here(operator)) == (way == "push")


def test_a_refused_file_fails_the_record_and_leaves_it_linked(operator, erp):
	connection = connect(operator, erp, ("push",))
	attach(make(operator))
	erp.interfere = lambda handler: (
		"upload_file" in handler.path
		and not handler.answer(417, {"exception": "frappe.exceptions.AttachmentLimitReached: no more files"})
	)
	(record,) = run(operator, connection, "push", "full")["records"]
	assert (record["status"], record["error_code"]) == ("failed", "remote_rejected")
	assert "no more files" in record["error_message"]
	erp.interfere = lambda handler: False
	assert run(operator, connection, "push", "full")["records_created"] == 0
	assert len(erp.site.documents["Paper"]) == len(there(erp)) == 1


def test_a_file_that_is_an_address_elsewhere_stays_where_it_is(operator, erp):
	connection = connect(operator, erp, ("push",))
	document = make(operator)
	given = {"attached_to_doctype": PAPER, "attached_to_name": document.name, "file_name": "far.png"}
	frappe.get_doc({"doctype": "File", "file_url": "https://elsewhere.example/far.png", **given}).insert()
	frappe.db.commit()
	assert run(operator, connection, "push", "full")["status"] == "completed"
	assert there(erp) == []


def test_files_stay_when_the_row_does_not_carry_them(operator, erp):
	connection = test_both_ways.connect(operator, erp, ("push",))
	attach(make(operator))
	assert run(operator, connection, "push", "full")["status"] == "completed"
	assert there(erp) == []


def test_a_connector_without_attachments_is_refused(operator, papers):
	rows = [{**test_both_ways.row("push", remote_type="/papers"), "attachments": 1}]
	with pytest.raises(frappe.ValidationError, match="carries no attachments"):
		world.connect(operator.tenant, "https://erp.example.com", rows)


@pytest.mark.parametrize(
	("given", "made"),
	[
		("../../etc/passwd", "passwd"),
		("..\\x.png", "x.png"),
		("<b>.png", "‹b›.png"),
		("", "attachment"),
		("a" * 300 + ".pdf", "a" * 116 + ".pdf"),
	],
)
def test_names_of_files_are_made_safe(site, given, made):
	assert attachments.safe_name(given) == made
	assert json.dumps(made)
