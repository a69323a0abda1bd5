"""File fields of a DocType that was made in the Desk: uploads are named there by their keys, and nothing else is."""

import base64

import frappe
import pytest

from hisabi_sync.engine import failed_items as failed
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import fields, files
from hisabi_sync.engine.model.change import Caller, Change
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.runs import pull
from hisabi_sync.runs.errors import RemoteError
from tests.media.reports.documents import (
	COLUMNS,
	DATA_URL,
	FILES,
	NAME,
	PATHS,
	PICTURES,
	document_of,
	expect_refusal,
	files_there,
	pulled,
)
from tests.media.uploads import upload
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.phone import create, new_id, update


@pytest.mark.parametrize("field", FILES)
@pytest.mark.parametrize("value", PATHS)
def test_a_file_field_names_no_path_no_markup_and_no_address(owner, field, value):
	before = files_there()
	expect_refusal(owner.push(create(NAME, **{field: value}))[0], field)
	expect_refusal(owner.push(create(NAME, **{f"{field}_alias": value}))[0], field)
	expect_refusal(owner.push(create(NAME, pages=[{field: value}]))[0], f"pages.{field}")
	assert files_there() == before


def test_every_type_of_field_is_a_row_here(site):
	"""A new kind of file field, or of rich text, is to be judged as well."""
	known = set(COLUMNS.values())
	assert files.ACTING == known
	assert {name for name in fields.KINDS if "Attach" in name or "Image" in name} <= known


@pytest.mark.parametrize("field", ["text", "page"])
@pytest.mark.parametrize("value", PICTURES)
def test_a_text_makes_no_files(owner, field, value):
	"""It is refused, or cleaned of the picture, now and when the document is saved in the Desk."""
	before = files_there()
	(made,) = owner.push(create(NAME, **{field: "<p>data: 5</p>"}))
	client_id = made["client_id"]
	for item in (
		create(NAME, **{field: value}),
		create(NAME, pages=[{field: value}]),
		update(NAME, client_id, 1, **{field: value}),
	):
		(result,) = owner.push(item)
		if result["status"] == "error":
			assert result["error_code"] == "file_not_allowed", result
		else:
			frappe.get_doc(NAME, document_of(result["client_id"])).save()
			frappe.db.commit()
	assert files_there() == before


@pytest.mark.parametrize("value", PICTURES)
def test_a_picture_within_a_text_is_seen_however_it_is_written(value):
	"""The cleaner takes most of them out; what it lets through is refused."""
	assert files.embeds(value)


@pytest.mark.parametrize(
	"value",
	[
		"<p>data: 5</p>",
		'<img src="/a.png">data:',
		"src data:",
		'<a href="/data:x">',
		'<p>write &lt;img src="data:image/png;base64,AAAA"&gt;</p>',
		'&lt;img src="data:..."&gt; where 1 < 2',
		'<p>&amp;lt;img src="data:x"&amp;gt;</p>',
		'<img src="/a.png" alt="x"><p>src="data:x"</p>',
	],
)
def test_a_text_about_data_is_a_text(value):
	assert not files.embeds(value)


def test_a_signature_is_a_picture_as_the_desk_draws_it(owner):
	(made,) = owner.push(create(NAME, signature=DATA_URL))
	assert made["status"] == "accepted" and pulled(owner, made["client_id"])["signature"] == DATA_URL
	expect_refusal(owner.push(create(NAME, photo=DATA_URL))[0], "photo")
	expect_refusal(owner.push(create(NAME, signature=DATA_URL + '" onerror="x'))[0], "signature")
	svg = "data:image/png;base64," + base64.b64encode(b"<svg onload=alert(1)>").decode()
	expect_refusal(owner.push(create(NAME, signature=svg))[0], "signature")


def test_the_doctype_that_is_files_is_never_synced(site):
	doc = frappe.get_doc({"doctype": "Sync Entity", "entity_type": "File", "document_type": "File"})
	doc.update({"space_type": "wallet", "space_path": "folder", "check_permissions": 1})
	with pytest.raises(frappe.ValidationError, match="File"):
		doc.insert()


PLAIN = f"{NAME} Plain"


@pytest.fixture(scope="module")
def plain(reports):
	"""A DocType with a field of every type that holds a value and is not judged as a file."""
	skipped = {*files.ACTING, "Table", "Table MultiSelect", "Dynamic Link"}
	offered = frappe.get_meta("DocField").get_field("fieldtype").options.split("\n")
	kinds = [kind for kind in fields.KINDS if kind not in skipped and kind in offered]
	options = {"Link": "Role", "Select": "\na\nb"}
	held = {f"f{n}": kind for n, kind in enumerate(kinds)}
	every = columns("wallet", *((name, kind, options.get(kind)) for name, kind in held.items()))
	doctypes.make(PLAIN, every, permissions=[])
	doctypes.sync(PLAIN, "wallet", "wallet", check_permissions=0)
	yield {kind: name for name, kind in held.items()}
	doctypes.remove(PLAIN)


@pytest.mark.parametrize("value", [PATHS[0], "/private/files/x", PICTURES[0], DATA_URL, PATHS[-4], PATHS[-5]])
def test_a_field_of_any_other_type_makes_no_file_of_it(owner, plain, value):
	before = files_there()
	results = owner.push(*[create(PLAIN, **{name: value}) for name in plain.values()])
	assert {result["status"] for result in results} <= {"accepted", "error"}
	frappe.db.rollback()
	for result in results:
		if result["status"] == "accepted":
			name = frappe.db.get_value("Sync Record", {"client_id": result["client_id"]}, "document_name")
			frappe.get_doc(PLAIN, name).save()
	frappe.db.commit()
	assert files_there() == before


@pytest.fixture
def addresses(site):
	_set("allow_file_addresses", 1)
	yield
	_set("allow_file_addresses", 0)


def _set(field, value):
	frappe.db.rollback()
	settings = frappe.get_single("Sync Settings")
	settings.set(field, value)
	settings.save()
	frappe.db.commit()
	frappe.clear_document_cache("Sync Settings", "Sync Settings")


def test_a_site_may_allow_addresses_of_other_hosts(owner, addresses):
	assert owner.push(create(NAME, photo="https://cdn.example/a.png"))[0]["status"] == "accepted"
	own = frappe.utils.get_url()
	for value in (
		f"{own}/files/x.png",
		f"{own}.evil.example/files/../x",
		f"http://{frappe.local.site}/private/files/x",
		"https://cdn.example/../x",
		"https://cdn.example/%2e%2e/x",
		"https://cdn.example/%25252e%25252e/x",
		"https://cdn.example/a%5cb",
		"https://user@cdn.example/x",
		"https://cdn.example\\@evil.example/x",
		"https://cdn.example/<img>",
		"ftp://cdn.example/x",
		*PATHS[:11],
	):
		expect_refusal(owner.push(create(NAME, photo=value))[0], "photo")


def test_an_item_that_is_edited_and_sent_again_names_no_path(owner):
	item = create(NAME, photo=PATHS[0])
	expect_refusal(owner.push(item)[0], "photo")
	frappe.db.rollback()
	name = frappe.db.get_value("Sync Item", {"op_id": item["op_id"]})
	again = failed.edit(name, {**item, "payload": {"photo": "/files/x.png"}})
	assert (again["done"], again["error_code"]) == (False, "file_not_allowed")
	assert failed.edit(name, {**item, "payload": {"photo": upload(owner)}})["done"]


@pytest.mark.parametrize(
	"values", [{"photo": PATHS[0]}, {"pages": [{"paper": "/files/x"}]}, {"text": PICTURES[0]}]
)
def test_what_a_peer_sends_names_no_file_here(site, values):
	work = frappe._dict(channel=frappe._dict(document_type=NAME), run=frappe._dict(mode="full"))
	with pytest.raises(RemoteError) as caught:
		pull._written(work, pull._document(work, None), {"wallet": "w", **values}, submits=False)
	assert caught.value.code == "local_rejected"
	sound = {"wallet": new_id("w"), "text": "<p>a</p>"}
	made = pull._written(work, pull._document(work, None), sound, submits=False)
	assert frappe.db.exists(NAME, made["document_name"])


def test_the_rule_is_the_engines_and_knows_no_contract(site):
	caller = Caller("Administrator", "a" * 20)
	entity = registry().by_name[NAME]
	for value in PATHS:
		changed = Change(0, "o", NAME, "c", "create", {"photo": value}, values={"photo": value}, record="r")
		may = files.for_batch([changed], caller, registry().by_name)
		with pytest.raises(ItemError):
			files.check({"photo": value}, [], entity.acting, may)
