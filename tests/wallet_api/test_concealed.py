"""Frappe's own calls tell nobody whether a document exists that he may not read (promise 6, walls)."""

import frappe
import pytest
import requests

from tests.support.phone import account, new_id
from tests.support.users import PASSWORD
from tests.wallet_api.people import new_phone, new_user, new_wallet

CALLS = [
	("GET", "/api/resource/{doctype}/{name}", None),
	("PUT", "/api/resource/{doctype}/{name}", {"title": "mine"}),
	("DELETE", "/api/resource/{doctype}/{name}", None),
	("GET", "/api/method/frappe.client.get?doctype={doctype}&name={name}", None),
	("POST", "/api/method/frappe.client.delete", {"doctype": "{doctype}", "name": "{name}"}),
	(
		"POST",
		"/api/method/frappe.client.set_value",
		{"doctype": "{doctype}", "name": "{name}", "fieldname": "title", "value": "x"},
	),
	("GET", "/api/method/frappe.desk.form.load.getdoc?doctype={doctype}&name={name}", None),
	("GET", "/api/method/frappe.desk.form.load.get_docinfo?doctype={doctype}&name={name}", None),
	("GET", "/api/method/frappe.desk.form.linked_with.get?doctype={doctype}&docname={name}", None),
	("GET", "/printview?doctype={doctype}&name={name}", None),
]


@pytest.fixture(scope="module")
def stranger(server, site):
	"""A session of somebody who is in no wallet."""
	session = requests.Session()
	session.headers["X-Frappe-Site-Name"] = site
	login = {"usr": new_user(PASSWORD), "pwd": PASSWORD}
	assert session.post(f"{server.url}/api/method/login", data=login, timeout=30).ok
	return session


@pytest.fixture(scope="module")
def names(server, site):
	"""{DocType: name of a document that is not the stranger's}."""
	owner = new_user()
	phone = new_phone(server, site, owner, new_wallet(owner))
	item = account()
	phone.push(item)
	frappe.db.rollback()
	return {
		"Hisabi Wallet": phone.wallet_id,
		"Hisabi Account": frappe.db.get_value("Hisabi Account", {"client_id": item["entity_id"]}),
		"Sync Space": frappe.db.get_value("Sync Space", {"space_key": phone.wallet_id}),
		"Sync Device": frappe.db.get_value("Sync Device", {"device_id": phone.device_id}),
		"Sync Batch": frappe.db.get_value("Sync Batch", {"user": owner}),
	}


def ask(session, url, call, doctype, name):
	"""(status, body without the name) of a call."""
	verb, path, body = call
	given = body and {key: value.format(doctype=doctype, name=name) for key, value in body.items()}
	response = session.request(verb, url + path.format(doctype=doctype, name=name), json=given, timeout=30)
	return response.status_code, response.text.replace(name, "NAME")


@pytest.mark.parametrize(
	"doctype", ["Hisabi Wallet", "Hisabi Account", "Sync Space", "Sync Device", "Sync Batch"]
)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]} {call[1].partition('?')[0]}")
def test_a_foreign_document_is_answered_like_one_that_is_not_there(server, stranger, names, doctype, call):
	foreign = ask(stranger, server.url, call, doctype, names[doctype])
	missing = ask(stranger, server.url, call, doctype, new_id("none"))
	assert foreign == missing
	assert foreign[0] >= 400 and "Traceback" not in foreign[1]
