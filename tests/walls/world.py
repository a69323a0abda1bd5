"""Two worlds that know nothing of each other, and the people who are in one of them, in the other, or in none."""

import copy
import secrets
from dataclasses import dataclass, field
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import frappe

from hisabi_sync import tenants
from hisabi_sync.api.protocol.scopes import RIGHTS
from hisabi_sync.desk import bulk
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_family import families
from hisabi_sync.hisabi_farm import farms
from tests.media import uploads
from tests.mobile.app import App, new_person, new_tenant
from tests.mobile.app import create as field_create
from tests.mobile.app import meter as field_meter
from tests.mobile.app import update as field_update
from tests.support.phone import account, new_id, transaction, update
from tests.wallet_api.people import message, new_phone, new_wallet

INSIDE = ("owner", "admin", "member", "viewer")
# Name -> roles of the Desk. `manager` and `auditor` see all spaces, `limited` is kept to those of the other world.
PEOPLE = {
	**dict.fromkeys((*INSIDE, "stranger"), ("Hisabi User",)),
	"manager": ("Sync Manager",),
	"auditor": ("Sync Auditor",),
	"limited": ("Sync Manager",),
}
PIXEL = uploads.PNG


@dataclass
class World:
	"""A wallet and a tenant. `ids` has the names of what is in them, by what the matrix calls it."""

	people: dict
	ids: dict = field(default_factory=dict)

	@property
	def spaces(self):
		types = {
			"wallet": "wallet",
			"tenant": tenants.SPACE_TYPE,
			"family": families.SPACE_TYPE,
			"farm": farms.SPACE_TYPE,
		}
		return [ids.space(space_type, self.ids[name]) for name, space_type in types.items()]


def cast(server, site):
	"""{name: phone} of everybody; each has one device."""
	return {
		name: new_phone(server, site, new_person(*roles), scopes=RIGHTS) for name, roles in PEOPLE.items()
	}


def build(people, owner="owner", others=INSIDE[1:]):
	"""A world whose owner is one of the people, with one thing of every kind that a call can name."""
	world = World(people)
	users = {role: people[role].user for role in others}
	wallet, tenant = new_wallet(people[owner].user, **users), new_tenant()
	for role in ("owner", *others):
		user = people[owner if role == "owner" else role].user
		spaces.set_member(tenants.ensure(tenant), user, role)
	frappe.db.commit()
	phone = copy.copy(people[owner])
	phone.wallet_id, phone.cursor, phone.replica = wallet, None, {}
	world.ids = {"wallet": wallet, "tenant": tenant, "user": users.get("viewer", phone.user)}
	world.ids |= (
		_wallet(phone) | _tenant(phone, tenant) | _site(phone, tenant) | _signed(phone) | _run(tenant)
	)
	world.ids |= {"family": new_id("family"), "farm": new_id("farm")}
	for space in (spaces.ensure(families.SPACE_TYPE, world.ids["family"]), farms.ensure(world.ids["farm"])):
		spaces.set_member(space, phone.user, "owner")
	frappe.db.commit()
	world.ids["job"] = _job(people["manager"].user)
	return world


def _wallet(phone):
	own, failing = account(color="white"), transaction("nowhere")
	phone.push(own, failing)
	other = new_phone(phone, phone.session.headers["X-Frappe-Site-Name"], phone.user, phone.wallet_id)
	other.push(update("Hisabi Account", own["entity_id"], 1, color="red"))
	(clash,) = phone.push(update("Hisabi Account", own["entity_id"], 1, color="blue"))
	phone.pull()
	invite = {"wallet_id": phone.wallet_id, "role": "viewer"}
	frappe.db.rollback()
	return {
		"record": own["entity_id"],
		"op": own["op_id"],
		"item": frappe.db.get_value("Sync Item", {"op_id": failing["op_id"]}),
		"conflict": clash["conflict_id"],
		"cursor": phone.cursor,
		"invite": message(phone.call("wallets.invite_create", invite))["invite_id"],
		"key": uploads.upload(phone),
		"pending": uploads.presign(phone)["key"],
	}


def _tenant(phone, tenant):
	app, late = _app(phone, tenant, phone.device_id, phone.token), _app(phone, tenant, new_id("device"))
	(made,) = app.push(field_meter(reading=1), tenant_id=tenant)
	app.push(field_update("meter", made["server_id"], 1, reading=2), tenant_id=tenant)
	items = (
		field_update("meter", made["server_id"], 1, reading=3),
		field_create("submission", form_id="no-form", data={}),
	)
	answer = late.send(*items, tenant_id=tenant).json()
	return {
		"meter": made["server_id"],
		"tenant_conflict": answer["results"][0]["conflict_id"],
		"batch": answer["batch_id"],
		"token": app.pull(tenant_id=tenant)[1],
		"tenant_key": _file(app, tenant),
	}


def _site(phone, tenant):
	"""What the site contract names: a space, and a position in all of them."""
	answer = phone.session.post(f"{phone.url}/api/offline/v1/pull", json={}, timeout=60)
	return {"space": ids.space(tenants.SPACE_TYPE, tenant), "site_cursor": answer.json()["cursor"]}


def _app(phone, tenant, device_id, token=None):
	if token is None:
		_, token = device_tokens.register(phone.user, device_id, scopes=RIGHTS)
		frappe.db.commit()
	site = phone.session.headers["X-Frappe-Site-Name"]
	return App(phone.url, site, token, phone.user, device_id, tenant)


def _file(app, tenant):
	given = app.call(
		"media/presign", {"filename": "p.png", "content_type": "image/png", "tenant_id": tenant}
	).json()
	assert uploads.put(given["upload_url"], PIXEL, given["headers"]).status_code == 200
	return given["key"]


def _signed(phone):
	"""The arguments of two signed URLs."""
	urls = {"put": uploads.presign(phone)["upload_url"]}
	urls["get"] = uploads.download_url(phone, uploads.upload(phone))
	return {
		f"{verb}_{name}": value
		for verb, url in urls.items()
		for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)
	}


def _run(tenant):
	"""A run that is over, and a record of it that is dead."""
	values = {
		"title": "ERP",
		"tenant": tenant,
		"base_url": "https://erp.example.com",
		"connector": "json",
		"auth": "none",
	}
	run, record, connection = ids.new(), ids.new(), ids.new()
	frappe.get_doc({"doctype": "Sync Connection", "name": connection, **values}).db_insert()
	about = {"space": tenants.ensure(tenant), "entity": "orders", "connection": connection}
	values = {
		**about,
		"status": "completed_with_errors",
		"mode": "full",
		"direction": "push",
		"user": "Administrator",
	}
	frappe.get_doc({"doctype": "Sync Run", "name": run, **values}).db_insert()
	values = {**about, "run": run, "status": "dead", "entity_id": new_id("SO"), "operation": "update"}
	frappe.get_doc({"doctype": "Sync Run Record", "name": record, **values}).db_insert()
	frappe.db.commit()
	return {"run": run, "run_record": record, "connection": connection}


def _job(user):
	job = ids.new()
	bulk.begin_state(job, user, 1)
	return job


def unknown(known):
	"""Names of the same kinds that nothing has."""
	made_up = {name: new_id("none") for name in known}
	keys = {name: secrets.token_hex(16) for name in known if name.endswith("key") or name == "pending"}
	return made_up | keys | {"user": f"{new_id('nobody')}@example.com"}


def keep_to(world, user):
	"""Let a Sync Manager see the spaces of this world only."""
	for space in world.spaces:
		values = {"doctype": "User Permission", "user": user, "allow": "Sync Space", "for_value": space}
		frappe.get_doc(values).insert(ignore_permissions=True)
	frappe.db.commit()


def state(world):
	"""What a call that is refused must leave as it is."""
	frappe.db.rollback()
	wallet, places = world.ids["wallet"], tuple(world.spaces)
	rows = {
		table: frappe.db.sql(
			f"SELECT * FROM `tab{table}` WHERE {condition} ORDER BY name",  # noqa: S608
			(places,),
		)
		for table, condition in TABLES.items()
	}
	member = frappe.db.get_all("Hisabi Wallet Member", {"wallet_id": wallet}, ["*"], order_by="name")
	return SimpleNamespace(rows=rows, members=member, invites=_invites(wallet))


def _invites(wallet):
	return frappe.db.get_all("Hisabi Wallet Invite", {"wallet": wallet}, ["*"], order_by="name")


TABLES = {
	"Sync Space": "name IN %s",
	# Neither of these two has an index by space.
	"Sync Item": "batch IN (SELECT name FROM `tabSync Batch` WHERE space IN %s)",
	"Sync Conflict": "record IN (SELECT name FROM `tabSync Record` WHERE space IN %s)",
	**dict.fromkeys(
		("Sync Space Member", "Sync Record", "Sync Batch", "Sync Media", "Sync Run", "Sync Run Record"),
		"space IN %s",
	),
}
