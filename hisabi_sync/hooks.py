from hisabi_sync import space_clauses as _space_clauses
from hisabi_sync.api import guards as _guards

app_name = "hisabi_sync"
app_title = "Hisabi Sync"
app_publisher = "Hisabi Sync contributors"
app_description = "Offline-first sync server for Frappe and ERPNext sites"
app_email = "hello@hisabi.example"
app_license = "mit"

# Values that devices sent are never markup, on whichever page of the Desk.
app_include_js = ["safe_json.bundle.js"]

after_install = ["hisabi_sync.install.set_up", "hisabi_sync.hisabi_family.defaults.set_up"]
after_migrate = ["hisabi_sync.install.set_up", "hisabi_sync.hisabi_family.defaults.set_up"]
before_uninstall = "hisabi_sync.install.tear_down"
# Another app may bring or take away listeners.
after_app_install = "hisabi_sync.engine.entities.forget"
after_app_uninstall = "hisabi_sync.engine.entities.forget"

# Requests: paths of the contracts' documents, device tokens, answers in each contract's own shape.
before_request = ["hisabi_sync.api.leftovers.forget", "hisabi_sync.api.routes.rewrite"]
auth_hooks = ["hisabi_sync.api.auth.authenticate", "hisabi_sync.api.family_auth.authenticate"]
after_request = ["hisabi_sync.api.http.finish", "hisabi_sync.api.concealed.finish"]
page_renderer = ["hisabi_sync.api.unread.UnreadRequest"]

# Short method names that wallet apps call.
override_whitelisted_methods = {
	**_guards.OVERRIDES,
	"hisabi.sync_push": "hisabi_sync.api.sync.sync_push",
	"hisabi.sync_pull": "hisabi_sync.api.sync.sync_pull",
	"hisabi.sync_ack": "hisabi_sync.api.sync.sync_ack",
	"hisabi.sync_op_status": "hisabi_sync.api.sync.sync_op_status",
	"hisabi.login": "hisabi_sync.api.devices.login",
	"hisabi.register_device": "hisabi_sync.api.devices.register_device",
	"hisabi.rotate_token": "hisabi_sync.api.devices.rotate_token",
	"hisabi.revoke_device": "hisabi_sync.api.devices.revoke_device",
	"hisabi.list_devices": "hisabi_sync.api.devices.list_devices",
	"hisabi.wallet_create": "hisabi_sync.api.wallets.wallet_create",
	"hisabi.wallet_list": "hisabi_sync.api.wallets.wallet_list",
	"hisabi.wallet_leave": "hisabi_sync.api.wallets.wallet_leave",
	"hisabi.wallet_defaults": "hisabi_sync.api.wallets.wallet_defaults",
	"hisabi.member_update": "hisabi_sync.api.wallets.member_update",
	"hisabi.member_remove": "hisabi_sync.api.wallets.member_remove",
	"hisabi.invite_create": "hisabi_sync.api.wallets.invite_create",
	"hisabi.invite_accept": "hisabi_sync.api.wallets.invite_accept",
	"hisabi.invite_list": "hisabi_sync.api.wallets.invite_list",
	"hisabi.invite_revoke": "hisabi_sync.api.wallets.invite_revoke",
	"hisabi.media_presign": "hisabi_sync.api.media.presign",
	"hisabi.media_download_url": "hisabi_sync.api.media.download_url",
}

# Whatever changes a synced document outside of a push is numbered in the same transaction.
doc_events = {
	"*": {
		"on_change": "hisabi_sync.engine.capture.on_change",
		"on_trash": "hisabi_sync.engine.capture.on_trash",
		"after_delete": "hisabi_sync.engine.capture.after_delete",
		"before_rename": "hisabi_sync.engine.capture.before_rename",
		"after_rename": "hisabi_sync.engine.capture.after_rename",
	},
	"User": {"after_rename": "hisabi_sync.engine.people.after_rename"},
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
		"on_update": "hisabi_sync.engine.entities.forget",
		"on_trash": "hisabi_sync.engine.entities.forget",
	},
}

# Who sees which of the engine's rows; lists and single documents follow one rule.
permission_query_conditions = _space_clauses.HOOKS
has_permission = dict.fromkeys(permission_query_conditions, "hisabi_sync.permissions.has_permission")

# Contract -> function that reads raw items of a push, by which failed ones are processed again.
sync_item_readers = {
	"wallet": "hisabi_sync.api.wallet_items.read_again",
	"mobile": "hisabi_sync.api.mobile_items.read",
	"family": "hisabi_sync.api.family_items.read",
	"batch": "hisabi_sync.api.batch_items.read_again",
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
		"hisabi_sync.media.collect.run",
	],
	"weekly_long": ["hisabi_sync.hisabi_wallet.derived.verify.verify_all"],
	"cron": {"* * * * *": ["hisabi_sync.runs.reaper.run"]},
}

# How long Frappe keeps the engine's logs, in days; people change it in Log Settings.
default_log_clearing_doctypes = {
	"Sync Item": 180,
	"Sync Batch": 180,
	"Sync Version": 180,
	"Sync Conflict": 365,
	"Sync Call": 90,
	"Hisabi Wallet Invite": 90,
	"Family Sync Day": 365,
	"Sync Run Record": 90,
	"Sync Run": 365,
}

# Entity types that this app declares; another app adds its own under the same hook.
sync_entities = [
	"hisabi_sync.hisabi_wallet.entities.declare",
	"hisabi_sync.hisabi_field.entities.declare",
	"hisabi_sync.hisabi_family.entities.declare",
	"hisabi_sync.hisabi_farm.entities.declare",
]


# Names that clients of a type of space send along in payloads and that mean nothing here.
sync_client_only = {"wallet": ["selectedWalletId", "selected_wallet_id"]}

# Checks and defaults that an entity type needs beyond its DocType, where a push writes in bulk.
sync_rules = {
	"Hisabi Transaction": "hisabi_sync.hisabi_wallet.rules.transaction",
	"Hisabi Account": "hisabi_sync.hisabi_wallet.rules.money",
	"Hisabi Budget": "hisabi_sync.hisabi_wallet.rules.money",
	"Hisabi Goal": "hisabi_sync.hisabi_wallet.rules.money",
	"Hisabi Bucket": "hisabi_sync.hisabi_wallet.rules.bucket",
	"Hisabi Attachment": "hisabi_sync.hisabi_wallet.attachments.rule",
	"Field Submission": "hisabi_sync.hisabi_field.rules.submission",
	"Field Meter": "hisabi_sync.hisabi_field.rules.meter",
	"Family Task": "hisabi_sync.hisabi_family.rules.task",
	"Family Event": "hisabi_sync.hisabi_family.rules.event",
	"Family Points Entry": "hisabi_sync.hisabi_family.rules.points",
	"Field Observation": "hisabi_sync.hisabi_farm.rules.observation",
	"Field Recommendation": "hisabi_sync.hisabi_farm.rules.recommendation",
	"Field Playbook": "hisabi_sync.hisabi_farm.rules.playbook",
}

# What people do with many documents at once, beside what the engine knows.
sync_bulk_actions = {"review_submissions": "hisabi_sync.hisabi_field.review.ACTION"}

# What a rule needs to know, looked up for a whole batch before any record is locked.
sync_prepare = {
	"Hisabi Attachment": "hisabi_sync.hisabi_wallet.attachments.prepare",
	"Field Submission": "hisabi_sync.hisabi_field.media.prepare",
	"Family Points Entry": "hisabi_sync.hisabi_family.rules.prepare_points",
	"Field Observation": "hisabi_sync.hisabi_farm.rules.prepare_observations",
	"Field Playbook": "hisabi_sync.hisabi_farm.rules.prepare_playbooks",
}

# Functions of media keys that tell which of them live documents name; the others are removed in the end.
sync_media_users = ["hisabi_sync.hisabi_wallet.attachments.named", "hisabi_sync.hisabi_field.media.named"]

# What follows from other records of a space, kept right in the same transaction.
sync_derivers = {
	"wallet": "hisabi_sync.hisabi_wallet.derived.derive.derive",
	"tenant": "hisabi_sync.hisabi_field.rules.follow",
	"family": "hisabi_sync.hisabi_family.derived.derive",
	"farm": "hisabi_sync.hisabi_farm.chain.follow",
}
# (DocType, name) that a push holds before it locks any record, because values follow from many of them.
sync_derivers_hold = {
	"wallet": "hisabi_sync.hisabi_wallet.derived.derive.hold",
	"family": "hisabi_sync.hisabi_family.derived.hold",
}

# Who else hears of a space's new position, by the space's type.
sync_announcers = {"family": "hisabi_sync.hisabi_family.families.announce"}
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
