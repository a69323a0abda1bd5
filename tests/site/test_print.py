"""Prints: a record as its print format shows it, as a page or a PDF, for those who may print it."""

import shutil

import frappe
import pytest

from hisabi_sync.engine.database import retry
from hisabi_sync.tenants import SPACE_TYPE
from tests.budgets.test_budgets import settings as settings
from tests.mobile.app import join, new_person
from tests.site.app import create, new_device, tenant_device, update
from tests.support import doctypes
from tests.support.doctypes import columns, permission
from tests.support.phone import new_id

WILD = """<h1 onclick="alert(1)">{{ doc.note }}</h1><script>alert(2)</script><a href="javascript:alert(3)">x</a>
<iframe src="https://elsewhere.example"></iframe><img src="/files/{{ doc.note }}.png"><b>{{ _("Yes") }}</b></style>"""


@pytest.fixture(scope="module")
def ticket(site):
	"""Documents that Hisabi Users may print."""
	name = f"Ticket {new_id('x').rpartition('-')[2]}"
	frappe.set_user("Administrator")
	rights = [
		permission("Hisabi User", print=1),
		permission("System Manager", print=1),
		permission("Sync Auditor", print=0),
	]
	fields = columns("tenant", "note", ("secret", "Data", None))
	fields[-1]["permlevel"] = 1
	retry.run(lambda: doctypes.make(name, fields, permissions=rights, is_submittable=1))
	doctypes.sync(name, SPACE_TYPE, "tenant", check_permissions=1)
	yield name
	frappe.set_user("Administrator")
	for one in frappe.get_all("Print Format", {"doc_type": name}, pluck="name"):
		frappe.delete_doc("Print Format", one, force=True)
	doctypes.remove(name)


@pytest.fixture
def device(server, site):
	return tenant_device(server, site)


@pytest.fixture
def formatted(ticket):
	"""A function that makes a print format of the HTML that of the type, until the end of the test."""

	def use(html, **values):
		given = {
			"doc_type": ticket,
			"custom_format": 1,
			"print_format_type": "Jinja",
			"html": html,
			"standard": "No",
		}
		made = frappe.get_doc(
			{"doctype": "Print Format", "name": new_id("format"), **given, **values}
		).insert()
		choose(made.name)
		return made.name

	def choose(name):
		doc = frappe.get_doc("Sync Entity", ticket)
		doc.print_format = name
		doc.save()
		frappe.db.commit()

	yield use
	frappe.set_user("Administrator")
	frappe.db.rollback()
	choose(None)


def printed(device, kind, identity, **more):
	return device.get("print", type=kind, id=identity, **{"format": "html", **more})


def made(device, ticket, note=None):
	record = create(ticket, note=note or new_id("note"))
	(result,) = device.push(record)
	assert result["status"] == "accepted", result
	return record


def test_a_page_is_whole_and_runs_nothing(device, ticket):
	record = made(device, ticket, "<b>Amal</b> & more")
	answer = printed(device, ticket, record["id"])
	assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8", (
		answer.text
	)
	assert "Amal" in answer.text and "<style>" in answer.text and "<script" not in answer.text
	policy = answer.headers["Content-Security-Policy"]
	assert "default-src 'none'" in policy and "sandbox" in policy and "default-src 'none'" in answer.text
	assert device.token not in answer.text and answer.headers["Cache-Control"] == "private, no-store"
	assert "<link" not in answer.text and "/assets/" not in answer.text.split("</style>")[1]


def test_the_print_format_of_the_entity_type_is_cleaned(device, ticket, formatted):
	formatted(WILD, css="h1 { color: red } </style><script>x</script>")
	file = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": f"{new_id('logo')}.png",
			"content": b"\x89PNG\r\n\x1a\n1",
			"is_private": 0,
		}
	).insert()
	frappe.db.commit()
	note = file.file_url.removeprefix("/files/").removesuffix(".png")
	page = printed(device, ticket, made(device, ticket, note)["id"]).text
	assert f"<h1>{note}</h1>" in page and "color: red" in page
	body = page.partition("</style></head>")[2]
	wild = ("onclick", "<script", "javascript:", "iframe", "</style>")
	assert page.count("</style>") == 1 and [bad for bad in wild if bad in body] == []
	assert 'src="data:image/png;base64,' in page
	outside = printed(device, ticket, made(device, ticket, "../../../site_config")["id"]).text
	assert "encryption_key" not in outside and "base64" not in outside


def test_it_is_in_the_language_of_the_user(device, ticket, formatted):
	formatted(WILD)
	record = made(device, ticket)
	frappe.db.set_value("User", device.user, "language", "ar")
	frappe.db.commit()
	page = printed(device, ticket, record["id"]).text
	assert 'lang="ar" dir="rtl"' in page and "نعم" in page


def test_without_the_right_to_print_nothing_is_printed(server, site, device, ticket):
	record = made(device, ticket)
	reader = new_device(server, site, new_person("Sync Auditor"))
	join(device.tenant, reader.user, "member")
	assert reader.pull() and printed(reader, ticket, record["id"]).json()["error_code"] == "permission_denied"


def test_what_the_caller_is_not_shown_is_answered_like_nothing(server, site, device, ticket):
	record = made(device, ticket)
	stranger = tenant_device(server, site)
	blind = new_device(server, site, new_person())
	join(device.tenant, blind.user, "member")
	answers = [printed(one, ticket, record["id"]) for one in (stranger, blind)] + [
		printed(device, ticket, "none")
	]
	assert {(one.status_code, one.json()["error_code"]) for one in answers} == {(404, "not_found")}
	assert printed(device, "Nothing", "x").json()["error_code"] == "unsupported_entity_type"
	assert printed(device, ticket, record["id"], format="docx").json()["error_code"] == "invalid_argument"


def test_levels_above_the_readers_stay_out(device, ticket):
	record = made(device, ticket)
	(name,) = frappe.get_all(ticket, {"note": record["values"]["note"]}, pluck="name")
	frappe.db.set_value(ticket, name, "secret", "cost price 7")
	frappe.db.commit()
	page = printed(device, ticket, record["id"]).text
	assert record["values"]["note"] in page and "cost price 7" not in page


def test_a_template_that_fails_is_an_answer(device, ticket, formatted):
	formatted("{{ doc.note.nothing.at.all }}")
	record = made(device, ticket)
	answer = printed(device, ticket, record["id"])
	assert (answer.status_code, answer.json()["error_code"]) == (400, "print_failed"), answer.text
	formatted("{{ frappe.throw('Not on a Friday') }}")
	assert "Friday" in printed(device, ticket, record["id"]).json()["message"]
	frappe.db.set_single_value("Print Settings", "allow_print_for_draft", 0)
	frappe.db.commit()
	try:
		refused = printed(device, ticket, record["id"]).json()
		assert refused["error_code"] == "permission_denied" and "draft" in refused["message"]
	finally:
		frappe.db.set_single_value("Print Settings", "allow_print_for_draft", 1)
		frappe.db.commit()


def test_a_pdf_where_the_site_makes_them(device, ticket):
	answer = device.get("print", type=ticket, id=made(device, ticket)["id"])
	if shutil.which("wkhtmltopdf"):
		assert answer.content.startswith(b"%PDF") and answer.headers["Content-Type"] == "application/pdf"
	else:
		assert (answer.status_code, answer.json()["error_code"]) == (501, "pdf_unavailable"), answer.text
		assert answer.json()["missing"] == "wkhtmltopdf"


def test_prints_have_a_budget(device, ticket, settings):
	record = made(device, ticket)
	settings(budget_prints=10)
	codes = [printed(device, ticket, record["id"]).status_code for _ in range(11)]
	assert codes == [200] * 10 + [429]
	assert printed(device, ticket, record["id"]).json()["error_code"] == "print_budget_used"
	(other,) = device.push(update(ticket, record["id"], 1, note="y"))
	assert other["status"] == "accepted", "pushes have budgets of their own"


@pytest.mark.parametrize("wrong", ["another type", "raw", "disabled"])
def test_a_format_that_devices_could_not_show_is_refused(ticket, formatted, wrong):
	values = {
		"another type": {"doc_type": "User"},
		"raw": {"raw_printing": 1, "raw_commands": "x"},
		"disabled": {"disabled": 1},
	}
	with pytest.raises(frappe.ValidationError, match="print format"):
		formatted("x", **values[wrong])
