"""A DocType with every kind of field that a conflict may be about, made as a person would in the Desk."""

import os

import frappe

# Names of this test run alone: another one on the same site takes its own away again.
METER = f"Conflict Meter {os.getpid()}"
ROW, SPACE_TYPE = f"{METER} Row", "conflict-team"
FIELDS = (
	# (name, type, options)
	("team", "Data", None),
	("title", "Data", None),
	("code", "Data", None),
	("note", "Text Editor", None),
	("remark", "Long Text", None),
	("snippet", "Code", None),
	("state", "Select", "Draft\nSent\nDone"),
	("currency", "Link", "Currency"),
	("price", "Currency", "currency"),
	("read_at", "Datetime", None),
	("due", "Date", None),
	("active", "Check", None),
	("reading", "Float", None),
	("settings", "JSON", None),
	("parent_meter", "Link", METER),
	("phones", "Table", ROW),
)


def ensure():
	"""The DocTypes and their entity type; what is there already stays."""
	if not frappe.db.exists("DocType", ROW):
		_doctype(ROW, [_field("phone", "Data"), _field("label", "Data")], istable=1)
	if not frappe.db.exists("DocType", METER):
		fields = [_field(*given) for given in FIELDS]
		_doctype(METER, fields, autoname="hash", title_field="title", permissions=[_permission()])
	if not frappe.db.exists("Sync Entity", METER):
		frappe.get_doc(
			{
				"doctype": "Sync Entity",
				"entity_type": METER,
				"document_type": METER,
				"space_type": SPACE_TYPE,
				"space_path": "team",
				"check_permissions": 0,
			}
		).insert()
	frappe.db.commit()


def _field(name, fieldtype, options=None):
	label = name.replace("_", " ").capitalize()
	return {
		"fieldname": name,
		"fieldtype": fieldtype,
		"label": label,
		"options": options,
		"unique": int(name == "code"),
	}


def _permission():
	return {"role": "System Manager", "read": 1, "write": 1, "create": 1, "delete": 1}


def _doctype(name, fields, **values):
	frappe.get_doc(
		{"doctype": "DocType", "name": name, "module": "Desk", "custom": 1, "fields": fields, **values}
	).insert()


def remove():
	for doctype, name in (("Sync Entity", METER), ("DocType", METER), ("DocType", ROW)):
		frappe.delete_doc(doctype, name, force=True, ignore_missing=True)
	frappe.db.commit()
