"""Hooks of Frappe: where the app takes part, as names of its functions."""

from hisabi_sync import space_clauses as _space_clauses
from hisabi_sync.api.protocol import names as _names
from hisabi_sync.guards import table as _guards

app_name = "hisabi_sync"
app_title = "Hisabi Sync"
app_publisher = "Hisabi Sync contributors"
app_description = "Offline-first sync server for Frappe and ERPNext sites"
app_email = "hello@hisabi.example"
app_license = "mit"

# Values that devices sent are never markup, on whichever page of the Desk.
app_include_js = ["safe_json.bundle.js"]

before_install = "hisabi_sync.install.check_database"
before_migrate = "hisabi_sync.formats.require_known"
after_install = [
	"hisabi_sync.install.set_up",
	"hisabi_sync.hisabi_family.defaults.set_up",
	"hisabi_sync.formats.note",
]
after_migrate = after_install
before_uninstall = "hisabi_sync.install.tear_down"
# Another app may bring or take away listeners.
after_app_install = "hisabi_sync.engine.entities.entity_types.forget"
after_app_uninstall = "hisabi_sync.engine.entities.entity_types.forget"

# Requests: paths of the contracts' documents, device tokens, answers in each contract's own shape.
before_request = [
	"hisabi_sync.api.protocol.auth.forget_last_request",
	"hisabi_sync.compat.be_impatient",
	"hisabi_sync.api.protocol.routes.rewrite",
	"hisabi_sync.guards.ordering.check",
]
auth_hooks = [
	"hisabi_sync.api.protocol.auth.authenticate",
	"hisabi_sync.api.delta.auth.authenticate",
	"hisabi_sync.guards.concealed.check",
]
after_request = [
	"hisabi_sync.api.protocol.http.finish",
	"hisabi_sync.guards.concealed.finish",
	"hisabi_sync.guards.formulas.finish",
]
# A job that commits again and again announces the position of a space once a second.
before_job = ["hisabi_sync.engine.store.announcing.begin_job"]
after_job = ["hisabi_sync.engine.store.announcing.end_job"]
page_renderer = ["hisabi_sync.api.protocol.http.UnreadRequest"]

# The names that clients call, and guards in front of Frappe's own calls.
override_whitelisted_methods = {**_guards.OVERRIDES, **_names.OVERRIDES}

# Whatever changes a synced document outside of a push is numbered in the same transaction.
doc_events = {
	"*": {
		"before_insert": "hisabi_sync.engine.capture.hold",
		"on_change": [
			"hisabi_sync.engine.capture.on_change",
			"hisabi_sync.engine.entities.entity_types.follow",
			"hisabi_sync.engine.sharing.followed.on_change",
		],
		"on_trash": "hisabi_sync.engine.capture.on_trash",
		"after_delete": [
			"hisabi_sync.engine.capture.after_delete",
			"hisabi_sync.engine.entities.entity_types.follow",
			"hisabi_sync.engine.sharing.followed.after_delete",
		],
		"before_rename": "hisabi_sync.engine.renames.before_rename",
		"after_rename": [
			"hisabi_sync.engine.renames.rename_record",
			"hisabi_sync.engine.renames.renumber_links",
			"hisabi_sync.engine.attachments.follow_merge",
			"hisabi_sync.engine.sharing.followed.after_rename",
		],
	},
	"File": {
		"before_insert": "hisabi_sync.media.attached.keep_private",
		"validate": "hisabi_sync.media.attached.check",
		"on_change": "hisabi_sync.engine.attachments.follow",
		"after_delete": "hisabi_sync.engine.attachments.follow",
	},
	"User": {"after_rename": "hisabi_sync.engine.renames.rename_user"},
	("User", "User Permission", "Sync Space Member", "Sync Device"): {
		"on_change": "hisabi_sync.engine.database.wake.follow",
		"after_delete": "hisabi_sync.engine.database.wake.follow",
	},
	"Custom DocPerm": {
		"on_change": "hisabi_sync.engine.database.wake.follow_all",
		"after_delete": "hisabi_sync.engine.database.wake.follow_all",
	},
	(
		"DocType",
		"Custom Field",
		"Property Setter",
		"Server Script",
		"Webhook",
		"Notification",
		"Assignment Rule",
		"Milestone Tracker",
		"Energy Point Rule",
		"Workflow",
	): {
		"on_update": "hisabi_sync.engine.entities.entity_types.forget",
		"on_trash": "hisabi_sync.engine.entities.entity_types.forget",
		"after_rename": "hisabi_sync.engine.entities.entity_types.forget",
	},
	# It also removes Property Setters and columns by SQL.
	"Customize Form": {
		"save_customization": "hisabi_sync.engine.entities.entity_types.forget",
		"reset_to_defaults": "hisabi_sync.engine.entities.entity_types.forget",
	},
	"Sync Settings": {"on_update": "hisabi_sync.engine.entities.entity_types.forget"},
}

# Who sees which of the engine's rows; lists and single documents follow one rule.
permission_query_conditions = _space_clauses.HOOKS
has_permission = {
	**dict.fromkeys(permission_query_conditions, "hisabi_sync.permissions.has_permission"),
	**dict.fromkeys(_space_clauses.EVERYWHERE, "hisabi_sync.permissions.may_change_for_all"),
}

# The engine's own rows follow a document; they do not keep it from being deleted.
ignore_links_on_delete = [
	"Sync Space",
	"Sync Record",
	"Sync Version",
	"Sync Batch",
	"Sync Item",
	"Sync Conflict",
	"Sync Device Position",
	"Sync Media",
	"Field Submission Media",
	"Family Sync Day",
	"Family Sync Point",
	"Sync Call",
	"Sync Connection",
	"Sync Run",
	"Sync Run Record",
	"Sync Identity",
	"Sync Watermark",
]

# Removing the last traces of old deletes, and finding what no hook saw.
scheduler_events = {
	"hourly_long": ["hisabi_sync.hisabi_family.derived.expire"],
	"daily_long": [
		"hisabi_sync.engine.garbage.collect",
		"hisabi_sync.engine.reconcile.run",
		"hisabi_sync.engine.sharing.memberships.run",
		"hisabi_sync.engine.sharing.joint_spaces.run",
		"hisabi_sync.media.collect.run",
	],
	"weekly_long": ["hisabi_sync.hisabi_wallet.derived.verify.verify_all"],
	"cron": {"* * * * *": ["hisabi_sync.runs.reaper.run", "hisabi_sync.engine.waiting.resume"]},
}

# How long Frappe keeps the engine's logs, in days; people change it in Log Settings.
default_log_clearing_doctypes = {
	"Sync Item": 180,
	"Sync Batch": 180,
	"Sync Version": 180,
	"Sync Conflict": 365,
	"Sync Call": 90,
	"Sync Cursor": 180,
	"Sync Schema": 730,
	"Hisabi Wallet Invite": 90,
	"Family Sync Day": 365,
	"Sync Run Record": 90,
	"Sync Run": 365,
}

# Contracts: each brings a kind of space with its entity types, rules and readers. Another app adds its own under the same hook.
sync_contracts = [
	"hisabi_sync.api.wallet.contract.WALLET",
	"hisabi_sync.api.mobile.contract.MOBILE",
	"hisabi_sync.api.delta.contract.DELTA",
	"hisabi_sync.api.batch.contract.BATCH",
	"hisabi_sync.api.site.contract.SITE",
	"hisabi_sync.api.rxdb.contract.RXDB",
	"hisabi_sync.api.watermelon.contract.WATERMELON",
]

# On which DocTypes handlers of `doc_events` act: each is a Listener. Other apps add theirs, so that all others stay fast.
sync_listeners = [
	"hisabi_sync.engine.entities.listeners.ERPNEXT_AGREEMENTS",
	"hisabi_sync.engine.entities.listeners.ERPNEXT_DELETIONS",
]

# DocTypes that imports and jobs write by the thousand: a Sync Entity proposes to number their changes by a job.
sync_mass_doctypes = ["Item Price", "Bin", "Stock Ledger Entry", "GL Entry", "Serial No", "Batch"]

# Which of the uploads that changes name in file fields may be used, by the record that names each: {key: record}.
sync_files = ["hisabi_sync.media.fields.usable"]
# What a File in the sidebar of a document says of an upload that a device attaches.
sync_uploads = ["hisabi_sync.media.attached.as_file"]

# Name -> class that talks to another system in a run; see `hisabi_sync.runs.connectors.base`.
sync_connectors = {
	"frappe": "hisabi_sync.runs.connectors.frappe_site.FrappeConnector",
	"json": "hisabi_sync.runs.connectors.json_http.JsonConnector",
}

extend_bootinfo = ["hisabi_sync.runs.connectors.boot"]

# DocTypes that a Sync Manager may connect to another system; others only a System Manager.
sync_run_doctypes = [
	*(f"Hisabi {name}" for name in ("Order", "Customer", "Product", "Invoice", "Payment")),
	*("Sales Order", "Customer", "Item", "Sales Invoice", "Payment Entry"),
]

# The tenants or farms to choose from, in the forms of documents that belong to one.
doctype_js = dict.fromkeys(
	(
		"Sync Connection",
		"Hisabi Order",
		"Hisabi Customer",
		"Hisabi Product",
		"Hisabi Invoice",
		"Hisabi Payment",
		"Field Form",
		"Field Submission",
		"Field Meter",
		"Field Old Token",
		"Field Observation",
		"Field Recommendation",
		"Field Playbook",
	),
	"public/js/space_field.js",
)
