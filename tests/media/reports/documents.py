"""A DocType with fields for files and rich texts, as a person makes one in the Desk."""

import base64
import os

import frappe

from hisabi_sync.engine.model import files
from tests.media.uploads import PNG

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


def files_there():
	frappe.db.rollback()
	return set(frappe.get_all("File", pluck="name")), set(os.listdir(frappe.get_site_path("public", "files")))


def expect_refusal(result, path):
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


def document_of(client_id):
	frappe.db.rollback()
	return frappe.db.get_value("Sync Record", {"client_id": client_id, "entity_type": NAME}, "document_name")


def pulled(phone, client_id):
	phone.pull()
	return phone.replica[NAME, client_id]["payload"]


def age(key):
	frappe.db.set_value(
		"Sync Media", key, {"creation": "2020-01-01", "used_at": "2020-01-01"}, update_modified=False
	)
	frappe.db.commit()


def desk_session(server, user):
	import requests

	from tests.media.uploads import SITE
	from tests.support.users import PASSWORD

	session = requests.Session()
	session.headers["X-Frappe-Site-Name"] = SITE
	login = {"usr": user, "pwd": PASSWORD}
	assert session.post(f"{server.url}/api/method/login", data=login, timeout=30).ok
	return session
