"""File fields of a DocType that was made in the Desk: uploads are named there by their keys, and nothing else is."""

import base64
import os

import frappe
import pytest

from hisabi_sync.engine import failed_items as failed
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import fields, files
from hisabi_sync.engine.model.change import Caller, Change
from hisabi_sync.engine.model.errors import ItemError, RequestError
from hisabi_sync.engine.resolution import cases
from hisabi_sync.media import collect
from hisabi_sync.runs import pull
from hisabi_sync.runs.errors import RemoteError
from tests.conflicts.conftest import web  # noqa: F401
from tests.media.uploads import JPEG, PNG, download_url, get, presign, upload
from tests.support import doctypes
from tests.support.doctypes import columns
from tests.support.phone import create, delete, new_id, update
from tests.support.users import make_user

NAME = f"Photo Report {os.getpid()}"
ROW = f"{NAME} Row"
COLUMNS = {
	"photo": "Attach Image",
	"paper": "Attach",
	"signature": "Signature",
	"text": "Text Editor",
	"page": "HTML Editor",
}
FILES = ("photo", "paper", "signature")
DATA_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()
EVIL = "data:text/html;filename=e.html;base64," + base64.b64encode(b"<script>1</script>").decode()


@pytest.fixture(scope="module", autouse=True)
def reports(site):
	"""The DocType and its entity type, as a person makes them; taken away again afterwards."""
	frappe.set_user("Administrator")
	held = COLUMNS.items()
	doctypes.make(ROW, columns(*held), istable=1)
	doctypes.make(NAME, columns("wallet", *held, ("pages", "Table", ROW)))
	names = [*COLUMNS, "pages"]
	rows = [{"fieldname": n, "access": "Read and write", "aliases": f"{n}_alias"} for n in names]
	doctypes.sync(NAME, "wallet", "wallet", check_permissions=0, fields=rows)
	yield
	doctypes.remove(NAME, ROW)
	doctypes.drop(NAME, ROW)  # addresses of ours are in them


@pytest.fixture
def secret(site):
	"""A private file of Administrator's that is attached to nothing."""
	doc = frappe.get_doc(
		{"doctype": "File", "file_name": new_id("s") + ".txt", "content": "secret", "is_private": 1}
	)
	doc.insert()
	frappe.db.commit()
	return doc


def _files():
	frappe.db.rollback()
	return set(frappe.get_all("File", pluck="name")), set(os.listdir(frappe.get_site_path("public", "files")))


def _refused(result, path):
	assert (result["status"], result.get("error_code")) == ("error", "file_not_allowed"), result
	assert result["detail"] == [path]


PATHS = (
	"/private/files/../../site_config.json",
	"/files/x.png",
	"files/x.png",
	"/private/files/x",
	"//evil.example/x.png",
	"\\\\evil\\x",
	"/%66iles/x",
	"%2ffiles%2fx",
	"file:///etc/passwd",
	"javascript:alert(1)",
	"http:/files/x",
	"https://evil.example/a.png",
	"/api/method/frappe.auth.get_logged_user",
	files.VIEW + "../../x",
	files.VIEW + "0" * 32 + "&download=1",
	"<img src=x onerror=alert(1)>",
	'=HYPERLINK("http://evil.example","x")',
	EVIL,
	"0" * 32,
	"A" * 32,
)


@pytest.mark.parametrize("field", FILES)
@pytest.mark.parametrize("value", PATHS)
def test_a_file_field_names_no_path_no_markup_and_no_address(owner, field, value):
	before = _files()
	_refused(owner.push(create(NAME, **{field: value}))[0], field)
	_refused(owner.push(create(NAME, **{f"{field}_alias": value}))[0], field)
	_refused(owner.push(create(NAME, pages=[{field: value}]))[0], f"pages.{field}")
	assert _files() == before


def test_every_type_of_field_is_a_row_here(site):
	"""A new kind of file field, or of rich text, is to be judged as well."""
	known = set(COLUMNS.values())
	assert files.ACTING == known
	assert {name for name in fields.KINDS if "Attach" in name or "Image" in name} <= known


PICTURES = (
	f'<p>x</p><img src="{EVIL}">',
	f"<IMG SRC = '{EVIL}'>",
	f'<img alt=">" src="{EVIL}">',
	f'<img src="&#100;ata:image/png;base64,{base64.b64encode(PNG).decode()}">',
	f"\"<img src='{EVIL}'>\"",
	f'<image src="{DATA_URL}">',
	f'<img alt="&gt;" title="x" src="{EVIL}">',
	f"<img alt=\" src='{EVIL}' \">",
	f"<p>&lt;img</p><img title=x src='{EVIL}'>",
	f'<img src="&amp;#100;ata:image/png;base64,{base64.b64encode(PNG).decode()}">',
	f'<p title="<img "> src="{EVIL}"',
)


@pytest.mark.parametrize("field", ["text", "page"])
@pytest.mark.parametrize("value", PICTURES)
def test_a_text_makes_no_files(owner, field, value):
	"""It is refused, or cleaned of the picture, now and when the document is saved in the Desk."""
	before = _files()
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
			frappe.get_doc(NAME, _name(result["client_id"])).save()
			frappe.db.commit()
	assert _files() == before


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


def _name(client_id):
	frappe.db.rollback()
	return frappe.db.get_value("Sync Record", {"client_id": client_id, "entity_type": NAME}, "document_name")


def _pulled(phone, client_id):
	phone.pull()
	return phone.replica[NAME, client_id]["payload"]


@pytest.mark.parametrize("field", FILES)
def test_only_a_finished_upload_of_ones_own_is_named(owner, family, field):
	foreign, pending = upload(family["stranger"]), presign(owner)["key"]
	others = upload(family["member"])
	for key in (foreign, pending, others, upload(owner).upper()):
		_refused(owner.push(create(NAME, **{field: key}))[0], field)
		_refused(owner.push(create(NAME, **{field: files.url_of(key)}))[0], field)
		_refused(owner.push(create(NAME, pages=[{field: key}]))[0], f"pages.{field}")
	key = upload(owner)
	(made,) = owner.push(create(NAME, **{field: key}, pages=[{field: key}]))
	assert made["status"] == "accepted", made
	payload = _pulled(family["member"], made["client_id"])
	assert payload[field] == key and payload["pages"][0][field] == key
	assert frappe.get_doc(NAME, _name(made["client_id"])).get(field) == files.url_of(key)


def test_a_signature_is_a_picture_as_the_desk_draws_it(owner):
	(made,) = owner.push(create(NAME, signature=DATA_URL))
	assert made["status"] == "accepted" and _pulled(owner, made["client_id"])["signature"] == DATA_URL
	_refused(owner.push(create(NAME, photo=DATA_URL))[0], "photo")
	_refused(owner.push(create(NAME, signature=DATA_URL + '" onerror="x'))[0], "signature")
	svg = "data:image/png;base64," + base64.b64encode(b"<svg onload=alert(1)>").decode()
	_refused(owner.push(create(NAME, signature=svg))[0], "signature")


def test_what_the_record_holds_may_stay_and_nobody_elses_file_is_taken_or_deleted(owner, family, secret):
	url = secret.file_url
	_refused(owner.push(create(NAME, photo=url))[0], "photo")
	(made,) = owner.push(create(NAME, text="a"))
	_refused(owner.push(update(NAME, made["client_id"], 1, photo=url))[0], "photo")
	doc = frappe.get_doc(NAME, _name(made["client_id"]))
	doc.photo = (
		frappe.get_doc(
			{"doctype": "File", "file_name": new_id("d") + ".txt", "content": new_id("own"), "is_private": 1}
		)
		.insert()
		.file_url
	)
	doc.save()
	frappe.db.commit()
	payload = _pulled(owner, made["client_id"])
	assert payload["photo"] == doc.photo
	(kept,) = owner.push(update(NAME, made["client_id"], 2, photo=doc.photo, text="b"))
	assert kept["status"] == "accepted", kept
	(gone,) = owner.push(delete(NAME, made["client_id"], 3))
	assert gone["status"] == "accepted"
	frappe.db.rollback()
	assert frappe.db.get_value("File", secret.name, "attached_to_name") is None
	assert os.path.exists(secret.get_full_path())


def test_a_delete_takes_only_files_of_ones_own_along(owner):
	(made,) = owner.push(create(NAME, text="a"))
	name = _name(made["client_id"])
	files_of = {}
	for user in ("Administrator", owner.user):
		doc = frappe.get_doc({"doctype": "File", "file_name": new_id("f") + ".txt", "content": new_id("c")})
		doc.update({"attached_to_doctype": NAME, "attached_to_name": name, "is_private": 1})
		doc.insert()
		doc.db_set("owner", user)
		files_of[user] = doc
	frappe.db.commit()
	assert owner.push(delete(NAME, made["client_id"], 1))[0]["status"] == "accepted"
	frappe.db.rollback()
	assert not frappe.db.exists("File", files_of[owner.user].name)
	theirs = files_of["Administrator"]
	assert frappe.db.get_value("File", theirs.name, ["attached_to_name", "owner"]) == (None, "Administrator")
	assert os.path.exists(theirs.get_full_path())


def test_a_key_that_was_written_before_fields_held_addresses(owner):
	key = upload(owner)
	(made,) = owner.push(create(NAME, text="a"))
	frappe.db.set_value(NAME, _name(made["client_id"]), "photo", key, update_modified=False)
	_age(key)
	collect.run()
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Media", key, "state") == "Used"
	(kept,) = owner.push(update(NAME, made["client_id"], 1, photo=key, text="b"))
	assert kept["status"] == "accepted" and _pulled(owner, made["client_id"])["photo"] == key


def test_the_doctype_that_is_files_is_never_synced(site):
	doc = frappe.get_doc({"doctype": "Sync Entity", "entity_type": "File", "document_type": "File"})
	doc.update({"space_type": "wallet", "space_path": "folder", "check_permissions": 1})
	with pytest.raises(frappe.ValidationError, match="File"):
		doc.insert()


# --- fields of all other types make no file of anything

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
	before = _files()
	results = owner.push(*[create(PLAIN, **{name: value}) for name in plain.values()])
	assert {result["status"] for result in results} <= {"accepted", "error"}
	frappe.db.rollback()
	for result in results:
		if result["status"] == "accepted":
			name = frappe.db.get_value("Sync Record", {"client_id": result["client_id"]}, "document_name")
			frappe.get_doc(PLAIN, name).save()
	frappe.db.commit()
	assert _files() == before


def test_a_stale_change_says_once_more_what_the_record_held(owner):
	(made,) = owner.push(create(NAME, text="a"))
	doc = frappe.get_doc(NAME, _name(made["client_id"]))
	for value in ("https://desk.example/1.png", "https://desk.example/2.png"):
		doc.photo = value
		doc.save()
	frappe.db.commit()
	(stale,) = owner.push(update(NAME, made["client_id"], 2, photo="https://desk.example/1.png", text="b"))
	assert stale["status"] == "accepted", stale
	assert _pulled(owner, made["client_id"])["photo"] == "https://desk.example/2.png"


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
		_refused(owner.push(create(NAME, photo=value))[0], "photo")


def test_a_photo_from_the_camera_to_the_desk_and_to_another_phone(owner, family, server):
	"""Made in the Desk, uploaded, pushed, shown, collected not, pulled and downloaded; released with its record."""
	key = upload(owner, JPEG, content_type="image/jpeg", filename="meter.jpg")
	(made,) = owner.push(create(NAME, photo=key, pages=[{"photo": key}]))
	assert made["status"] == "accepted"
	url = frappe.db.get_value(NAME, _name(made["client_id"]), "photo")
	desk = _desk(server, make_user("System Manager"))
	shown = desk.get(server.url + url, timeout=30)
	assert shown.content == JPEG and shown.headers["Content-Type"] == "image/jpeg"
	assert _desk(server, make_user("Hisabi User")).get(server.url + url, timeout=30).status_code == 403
	_age(key)
	collect.run()
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Media", key, ["state", "released_at"]) == ("Used", None)
	other = family["member"]
	assert get(download_url(other, _pulled(other, made["client_id"])["photo"])).content == JPEG
	owner.push(delete(NAME, made["client_id"], 1))
	collect.run()
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Media", key, "released_at")


def test_an_upload_stays_while_any_record_or_row_names_it(owner):
	key = upload(owner)
	(first,) = owner.push(create(NAME, pages=[{"paper": key}]))
	(second,) = owner.push(create(NAME, photo=key))
	assert (first["status"], second["status"]) == ("accepted", "accepted")
	owner.push(delete(NAME, second["client_id"], 1))
	_age(key)
	collect.run()
	frappe.db.rollback()
	assert frappe.db.get_value("Sync Media", key, "released_at") is None
	frappe.db.set_value("Sync Entity", NAME, "enabled", 0)
	collect.run()
	assert frappe.db.get_value("Sync Media", key, "released_at") is None
	frappe.db.set_value("Sync Entity", NAME, "enabled", 1)
	frappe.db.commit()


@pytest.fixture
def clash(owner):
	"""(client id, conflict, the device's upload, the server's path) of a photo that was changed on both sides."""
	(made,) = owner.push(create(NAME, photo=upload(owner)))
	doc = frappe.get_doc(NAME, _name(made["client_id"]))
	doc.photo = "https://desk.example/2.png"
	doc.save()
	frappe.db.commit()
	key = upload(owner)
	(lost,) = owner.push(update(NAME, made["client_id"], 1, photo=key))
	assert lost["status"] == "conflict", lost
	return made["client_id"], lost["conflict_id"], key, doc.photo


def _resolve(name, choice, **more):
	frappe.db.rollback()
	answer = cases.resolve(name, cases.Decision(choice, **more))
	frappe.db.commit()
	return answer


def test_a_conflict_about_a_photo_is_settled_by_either_side(owner, clash):
	client_id, name, key, _ = clash
	_resolve(name, "accept_client")
	assert _pulled(owner, client_id)["photo"] == key


@pytest.mark.parametrize("value", PATHS[:4])
def test_a_person_who_settles_names_no_path_either(owner, clash, value):
	client_id, name, _, held = clash
	with pytest.raises(RequestError) as caught:
		_resolve(name, "manual_merge", values={"photo": value})
	assert caught.value.extra["item_error_code"] == "file_not_allowed"
	_resolve(name, "manual_merge", keep={"photo": "server"}, values={"text": "b"})
	assert _pulled(owner, client_id)["photo"] == held


def test_a_device_side_that_was_kept_before_files_were_judged_is_judged_now(owner, clash):
	_, name, _, _ = clash
	frappe.db.rollback()
	frappe.db.set_value("Sync Conflict", name, "client_values", '{"photo": "/private/files/x"}')
	with pytest.raises(RequestError) as caught:
		cases.resolve(name, cases.Decision("accept_client"))
	frappe.db.rollback()
	assert caught.value.extra["item_error_code"] == "file_not_allowed"


def test_an_item_that_is_edited_and_sent_again_names_no_path(owner):
	item = create(NAME, photo=PATHS[0])
	_refused(owner.push(item)[0], "photo")
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
		pull._written(work, None, {"wallet": "w", **values})
	assert caught.value.code == "local_rejected"
	made = pull._written(work, None, {"wallet": new_id("w"), "text": "<p>a</p>"})
	assert frappe.db.exists(NAME, made["document_name"])


def test_the_rule_is_the_engines_and_knows_no_contract(site):
	caller = Caller("Administrator", "a" * 20)
	entity = registry().by_name[NAME]
	for value in PATHS:
		changed = Change(0, "o", NAME, "c", "create", {"photo": value}, values={"photo": value}, record="r")
		may = files.for_batch([changed], caller, registry().by_name)
		with pytest.raises(ItemError):
			files.check({"photo": value}, [], entity.acting, may)


def test_who_copies_an_address_into_his_own_document_sees_nothing(owner, family, server):
	"""The document must lie in the upload's own space, and does not come there with rights of his own."""
	key = upload(owner)
	owner.push(create(NAME, photo=key))
	doc = frappe.get_doc(
		{"doctype": NAME, "wallet": family["stranger"].wallet_id, "photo": files.url_of(key)}
	)
	with pytest.raises(frappe.ValidationError, match="photo"):
		doc.insert()
	frappe.db.rollback()
	doc.insert(ignore_permissions=True)
	frappe.db.commit()
	assert frappe.db.get_value("Sync Record", {"document_name": doc.name}, "space")
	media = frappe._dict(key=key, record=None, space=frappe.db.get_value("Sync Media", key, "space"))
	from hisabi_sync.media import fields as media_fields

	assert media_fields.may_look(media)  # by the owner's record
	frappe.db.set_value(NAME, {"wallet": owner.wallet_id}, "photo", None)
	assert not media_fields.may_look(media)


def _age(key):
	frappe.db.set_value(
		"Sync Media", key, {"creation": "2020-01-01", "used_at": "2020-01-01"}, update_modified=False
	)
	frappe.db.commit()


def _desk(server, user):
	import requests

	from tests.media.uploads import SITE
	from tests.support.users import PASSWORD

	session = requests.Session()
	session.headers["X-Frappe-Site-Name"] = SITE
	login = {"usr": user, "pwd": PASSWORD}
	assert session.post(f"{server.url}/api/method/login", data=login, timeout=30).ok
	return session
