"""What a site begins with: settings of the delta contract and a few badges. Safe to run any number of times."""

import frappe
from frappe import _

from hisabi_sync.hisabi_family.tokens import SETTINGS

RULE = "Family Badge Rule"
# Code: (title, what is counted, from how many)
BADGES = {
	"streak_3": ("Three days in a row", "Streak", 3),
	"streak_7": ("A week in a row", "Streak", 7),
	"streak_30": ("A month in a row", "Streak", 30),
	"points_100": ("100 points", "Points", 100),
	"points_500": ("500 points", "Points", 500),
	"first_task": ("First task done", "Tasks", 1),
}


def set_up() -> None:
	"""Fill in what is missing; a site that has badge rules keeps them as they are."""
	_fill_settings()
	if not frappe.db.count(RULE):
		for code, (title, metric, threshold) in BADGES.items():
			values = {"code": code, "title": _(title), "metric": metric, "threshold": threshold}
			frappe.get_doc({"doctype": RULE, **values}).insert(ignore_permissions=True)


def _fill_settings() -> None:
	settings, stored = frappe.get_single(SETTINGS), frappe.db.get_singles_dict(SETTINGS)
	missing = {f.fieldname: f.default for f in settings.meta.fields if f.default}
	missing = {name: value for name, value in missing.items() if name not in stored}
	if missing:
		settings.update(missing)
		settings.flags.ignore_permissions = True
		settings.save()
