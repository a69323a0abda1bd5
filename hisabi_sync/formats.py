"""Versions of the engine's own stored formats. A migration stops where a newer release has written the site.

When you change a form, raise its version here and add a patch. `tests/upgrade/test_formats.py` holds an example of each.
"""

import json

import frappe
from frappe import _
from frappe.cache_manager import clear_defaults_cache

KEY = "hisabi_sync_formats"
VERSIONS = {
	"record_id": 1,  # names of Sync Records, spaces, members and devices: engine/model/ids.py
	"field_versions": 1,  # Sync Record, which version each field changed at
	"past": 1,  # Sync Version, what a version replaced
	"values": 1,  # Sync Conflict, the values of each side
	"result": 1,  # Sync Item, what an op was answered
	"digest": 2,  # Sync Record, hashes by which reconciliation finds changes; 1 had one hash for all fields
	"text": 3,  # columns with plain text: engine/model/texts.py
}


def stored() -> dict[str, int]:
	"""{format: version} that the site was written with; empty before versions were kept."""
	return json.loads(frappe.db.get_global(KEY) or "{}")


def require_known() -> None:
	"""Hook before a migration. Raises frappe.ValidationError on a site that a newer release wrote."""
	newer = sorted(name for name, version in stored().items() if version > VERSIONS.get(name, 0))
	if newer:
		said = _(
			"A newer release of Hisabi Sync has written this site ({0}). Restore an older backup, or upgrade the app."
		)
		frappe.throw(said.format(", ".join(newer)))


def note() -> None:
	"""Hook after an installation or a migration, when patches have brought every row to these versions."""
	if stored() != VERSIONS:
		frappe.db.set_global(KEY, json.dumps(VERSIONS))


def forget() -> None:
	"""When the app leaves the site."""
	frappe.db.delete("DefaultValue", {"defkey": KEY})
	clear_defaults_cache()
