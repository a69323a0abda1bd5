"""The lowest and the highest value of each number in our settings, so that no value disables a protection."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint

# DocType -> field -> (lowest, highest). A test demands a row for each number field; budgets have theirs in `engine.identity.budgets`.
BOUNDS = {
	"Sync Settings": {
		"max_push_items": (1, 1_000),
		"max_mobile_items": (1, 1_000),
		"max_batch_items": (1, 1_000),
		"max_payload_kib": (1, 4_096),
		"max_body_kib": (64, 65_536),
		"pull_limit": (1, 5_000),
		"max_pull_limit": (1, 10_000),
		"login_attempts": (3, 50),
		"batch_calls": (1, 100_000),
		"device_token_days": (1, 400),
		"batch_token_hours": (1, 2_400),
		"rotation_grace_minutes": (1, 1_440),
		"tombstone_retention_days": (7, 3_650),
		"device_silence_days": (7, 3_650),
		"max_media_mib": (1, 4_096),
		"media_url_minutes": (1, 1_440),
		"media_unused_hours": (1, 720),
		"media_retention_days": (1, 3_650),
	},
	# An entity type that leaves its payloads to the settings has 0 there.
	"Sync Entity": {"rank": (0, 100_000), "max_payload_kib": (0, 4_096), "client_minimum": (0, 1_000_000)},
	"Sync Space Type": {},
	"Sync Connection": {
		"parallel": (1, 16),
		"requests_per_minute": (0, 100_000),
		"max_attempts": (1, 100),
		"connect_timeout": (1, 120),
		"read_timeout": (1, 600),
		"overlap_seconds": (0, 86_400),
		"breaker_failures": (0, 1_000),
	},
	"Sync Connection Entity": {"attachment_limit": (1, 30)},
	"Family Settings": {
		"leeway_seconds": (0, 300),
		"longest_token_days": (0, 400),
		"max_changes": (1, 5_000),
		"max_server_changes": (1, 50_000),
		"max_new_devices": (1, 100_000),
	},
	"Family Badge Rule": {"threshold": (1, 1_000_000_000)},
}


def check(doc: Document) -> None:
	"""Raise ValidationError for the first number of a document that is out of its bounds."""
	for name, (lowest, highest) in BOUNDS[doc.doctype].items():
		if not lowest <= cint(doc.get(name)) <= highest:
			label = _(doc.meta.get_label(name))
			frappe.throw(_("{0} must be between {1} and {2}").format(label, lowest, highest))
