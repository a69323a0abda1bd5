"""A DocType of one's own, made in the Desk, with a field of every type that takes a text, and named by one of them."""

import os

import frappe

from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import fields
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.sharing import spaces
from tests.support import doctypes
from tests.support.doctypes import column
from tests.support.phone import new_id
from tests.support.users import make_user

SHOWN = f"Shown Thing {os.getpid()}"
SPACE_TYPE = f"shown-team-{os.getpid()}"
ROWS = ("Table", "Table MultiSelect")
# (type, options) of the fields beside those that every type of field gives.
MORE = (("Data", "URL"), ("Data", "Email"), ("Data", "Phone"), ("Data", "Name"))
OPTIONS = {"Link": SHOWN, "Dynamic Link": "kind", "Select": "Open\nDone"}
# Types that Frappe puts into no list; a report may show them.
UNLISTED = ("Attach Image", "Geolocation", "Signature")
# Names by which pages find what to show as state and picture.
NAMED = ("status", "image")


def columns():
	"""{field name: (type, options)} of the fields that a device tries to write."""
	plain = [(kind, OPTIONS.get(kind)) for kind in fields.KINDS if kind not in (*ROWS, "Long Int")]
	found = {
		frappe.scrub(f"f_{kind}_{options or ''}" if kind == "Data" else f"f_{kind}"): (kind, options)
		for kind, options in (*plain, *MORE)
	}
	return {**found, **dict.fromkeys(NAMED, ("Data", None))}


def ensure():
	own = {"team": ("Data", None), "title": ("Data", None), "kind": ("Link", "DocType")}
	fields = [
		column(name, kind, options, in_list_view=int(name != "team" and kind not in UNLISTED))
		for name, (kind, options) in {**own, **columns()}.items()
	]
	named = {"autoname": "field:title", "title_field": "title", "image_field": "f_attach_image"}
	doctypes.make(SHOWN, fields, **named)
	doctypes.sync(SHOWN, SPACE_TYPE, "team", check_permissions=0, write_mode="Document")
	entity_types.forget()


def remove():
	frappe.delete_doc("List View Settings", SHOWN, force=True, ignore_missing=True)
	frappe.db.commit()
	doctypes.remove(SHOWN)


def member():
	"""A Caller of a new device in a new space."""
	user, key = make_user("Hisabi User", password=None), new_id("team")
	space = spaces.ensure(SPACE_TYPE, key)
	spaces.set_member(space, user, "owner")
	device, _ = device_tokens.register(user, new_id("device"))
	frappe.db.commit()
	return Caller(user, space, device.name, SPACE_TYPE, key)


def show(names):
	"""Let the list show these fields and no others."""
	rows = [{"fieldname": name, "label": name} for name in names]
	values = {"fields": frappe.as_json(rows), "total_fields": max(4, len(rows))}
	if frappe.db.exists("List View Settings", SHOWN):
		frappe.get_doc("List View Settings", SHOWN).update(values).save()
	else:
		frappe.get_doc({"doctype": "List View Settings", **values}).insert(set_name=SHOWN)
	frappe.db.commit()
