"""DocTypes that every view of the Desk can show, with texts that a device pushed."""

import csv
import io
import json
import os

import frappe
from frappe.desk.doctype.notification_log.notification_log import get_title, get_title_html
from frappe.utils import global_search

from hisabi_sync.engine.entities import entity_types
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.sharing import spaces
from tests.support import doctypes
from tests.support.doctypes import column, permission
from tests.support.engine import change, document_of, send
from tests.support.phone import new_id
from tests.support.users import make_user

SEEN, ROW, BRANCH = (f"{kind} {os.getpid()}" for kind in ("Seen Thing", "Seen Row", "Seen Branch"))
SPACE_TYPE = f"seen-team-{os.getpid()}"
SLUG = frappe.scrub(SEEN).replace("_", "-")
PICTURE = "/assets/frappe/images/frappe-framework-logo.svg"
FIELDS = {
	# field: (type, options)
	"team": ("Data", None),
	"title": ("Data", None),
	"note": ("Small Text", None),
	"story": ("Text Editor", None),
	"plain": ("Markdown Editor", None),
	"picture": ("Attach Image", None),
	"state": ("Select", "Open\nDone"),
	"starts": ("Date", None),
	"ends": ("Date", None),
	"mate": ("Link", SEEN),
	"lines": ("Table", ROW),
}
LISTED = ("title", "note", "state", "starts", "mate")
RIGHTS = [permission(**{"import": 1})]
OWN = f"Seen {os.getpid()}"  # name of the board, the calendar, the chart, its dashboard and the report


def ensure():
	_doctype(ROW, {"text": ("Data", None), "more": ("Small Text", None)}, istable=1)
	shown = {"title_field": "title", "show_title_field_in_link": 1, "search_fields": "title,note"}
	more = {"image_field": "picture", "track_changes": 1, "quick_entry": 1, "show_preview_popup": 1}
	_doctype(SEEN, FIELDS, **shown, **more, naming_rule="Random", permissions=RIGHTS)
	tree = {"is_tree": 1, "title_field": "title", "naming_rule": "Random", "permissions": RIGHTS}
	fields = {"team": ("Data", None), "title": ("Data", None), "is_group": ("Check", None)}
	_doctype(BRANCH, {**fields, f"parent_{frappe.scrub(BRANCH)}": ("Link", BRANCH)}, **tree)
	for doctype in (SEEN, BRANCH):
		doctypes.sync(doctype, SPACE_TYPE, "team", check_permissions=0, write_mode="Document")
	entity_types.forget()


def _doctype(name, fields, **values):
	rows = [
		column(
			field,
			kind,
			options,
			in_list_view=int(field in LISTED or "istable" in values),
			in_preview=int(field in ("note", "story")),
			allow_in_quick_entry=int(field in ("title", "mate")),
			in_global_search=int(field in ("title", "note")),
		)
		for field, (kind, options) in fields.items()
	]
	doctypes.make(name, rows, allow_import=1, **values)


def fill(texts):
	"""{text: name of the document} of records that a device made and changed, with the text wherever one may stand."""
	user, key = make_user("Hisabi User", password=None), new_id("team")
	space = spaces.ensure(SPACE_TYPE, key)
	spaces.set_member(space, user, "owner")
	device, _ = device_tokens.register(user, new_id("device"))
	frappe.db.commit()
	caller, made, mate = Caller(user, space, device.name, SPACE_TYPE, key), {}, None
	today = frappe.utils.today()
	for text in texts:
		thing, branch = new_id("thing"), new_id("branch")
		values = {"title": text, "note": text, "story": f"<p>{text}</p>", "plain": text}
		values.update({"state": "Open", "starts": today, "ends": frappe.utils.add_days(today, 1)})
		values.update({"lines": [{"text": text, "more": text}]})
		outcomes = send(
			caller,
			change(SEEN, thing, **values, **({"mate": mate} if mate else {})),
			change(BRANCH, branch, title=text, is_group=True),
		)
		outcomes += send(caller, change(SEEN, thing, "update", 1, title=f"{text} ", note=f"{text}."))
		assert [outcome.status for outcome in outcomes] == ["accepted"] * 3, outcomes
		made[text], mate = document_of(caller, thing), thing
		frappe.db.set_value(SEEN, made[text], "picture", PICTURE, update_modified=False)
		frappe.db.commit()
	return made


def arrange(user):
	"""What the Desk needs of its own to show the views to somebody."""
	columns = [{"column_name": state, "status": "Active", "indicator": "Gray"} for state in ("Open", "Done")]
	shown = {"field_name": "state", "columns": columns, "fields": '["note", "title"]', "show_labels": 1}
	_make("Kanban Board", kanban_board_name=OWN, reference_doctype=SEEN, **shown)
	days = {"start_date_field": "starts", "end_date_field": "ends", "all_day": 1}
	_make("Calendar View", name=OWN, reference_doctype=SEEN, subject_field="title", **days)
	groups = {"group_by_type": "Count", "group_by_based_on": "title", "number_of_groups": 50, "type": "Bar"}
	chart = {"chart_type": "Group By", "document_type": SEEN, **groups, "filters_json": "[]", "is_public": 1}
	_make("Dashboard Chart", chart_name=OWN, **chart)
	_make("Dashboard", dashboard_name=OWN, charts=[{"chart": OWN}])
	grouped = {"group_by": "title", "aggregate_function": "count"}
	settings = {"filters": [], "fields": [["title", SEEN], ["note", SEEN]], "group_by": grouped}
	report = {"ref_doctype": SEEN, "is_standard": "No", "report_type": "Report Builder"}
	_make("Report", report_name=OWN, json=json.dumps(settings), **report)
	search = frappe.get_doc("Global Search Settings")
	search.append("allowed_in_global_search", {"document_type": SEEN})
	search.save()
	global_search.sync_global_search()
	for name in frappe.get_all(SEEN, pluck="name"):
		subject = f"Muna assigned a new task {get_title_html(get_title(SEEN, name))} to you"
		log = {"for_user": user, "type": "Assignment", "document_type": SEEN, "document_name": name}
		doc = frappe.get_doc({"doctype": "Notification Log", "subject": subject, **log})
		doc.set_new_name()
		doc.db_insert()  # inserting would send a mail
	frappe.db.commit()


def title(field):
	"""Make a field the title of the documents, in the Desk and for devices."""
	doc = frappe.get_doc("DocType", SEEN)
	doc.title_field = field
	doc.save()
	frappe.db.commit()
	entity_types.forget()


def imported():
	"""Name of an import of all documents, as their export gives them."""
	rows = frappe.get_all(SEEN, fields=["name", "title", "note"], as_list=True)
	file = io.StringIO()
	csv.writer(file).writerows([("ID", "Title", "Note"), *rows])
	doc = _make("Data Import", reference_doctype=SEEN, import_type="Update Existing Records")
	attached = {"attached_to_doctype": "Data Import", "attached_to_name": doc.name, "is_private": 1}
	kept = _make("File", file_name=f"{OWN}.csv", content=file.getvalue(), **attached)
	doc.db_set("import_file", kept.file_url)
	frappe.db.commit()
	return doc.name


def _make(doctype, **values):
	doc = frappe.get_doc({"doctype": doctype, **values})
	return doc.insert(set_name=values.get("name"))


def remove():
	search = frappe.get_doc("Global Search Settings")
	search.set(
		"allowed_in_global_search", [r for r in search.allowed_in_global_search if r.document_type != SEEN]
	)
	search.save()
	frappe.db.delete("Notification Log", {"document_type": SEEN})
	held = ("Kanban Board", "Calendar View", "Dashboard", "Dashboard Chart", "Report")
	for doctype in held:
		frappe.delete_doc(doctype, OWN, force=True, ignore_missing=True)
	frappe.db.commit()
	doctypes.remove(SEEN, BRANCH, ROW)
