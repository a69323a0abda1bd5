"""The matrix: for each call what it is sent, and what it answers to people whom a wall keeps out.

`<name>` in the arguments stands for something of a world (`world.World.ids`), `<device>` for the caller's own device. To
somebody outside, the call must answer alike whether that belongs to another world or does not exist.
"""

from dataclasses import dataclass, field

OUT = (403, "wallet_access_denied")
NO_TENANT = (403, "space_access_denied")
DENIED = (403, "permission_denied")
MEMBERS = ("owner", "admin", "member", "viewer")
READ_ONLY = (403, "wallet_read_only")
GONE = (404, "not_found")
OWN = (200, None)  # an answer that is about the caller alone
ROWS = (200, None)  # every row is answered by itself, as not found
CHANGE = {
	"op_id": "walls",
	"entity_type": "Hisabi Account",
	"entity_id": "<record>",
	"operation": "update",
	"base_version": 2,
	"payload": {"color": "green"},
}
EDIT = {
	"resource_type": "meter",
	"action": "update",
	"client_version": 2,
	"payload": {"id": "<meter>", "reading": 9},
}
ANYWHERE = {
	"op_id": "walls",
	"type": "meter",
	"id": "<meter>",
	"op": "update",
	"base_version": 2,
	"values": {"reading": 9},
}
NO_CURSOR = (400, "invalid_cursor")
FILE = {"filename": "a.png", "content_type": "image/png"}
SIGNED = ("key", "expires", "holder", "device", "nonce", "signature")


@dataclass(frozen=True)
class Row:
	"""`stranger` and `limited` (a Sync Manager of another world): answers to those outside. `refuses`: those inside whom
	their role keeps out. `may`: one for whom the very same arguments work. `mixed`: answers to a stranger who names one
	foreign thing among his own. `guest`, `unlike`, `echoes`: why no credential is needed, why foreign and unknown differ, or why
	the answer may have what the caller named in another call."""

	takes: dict
	stranger: tuple | None
	limited: tuple | None = None
	may: str = "owner"
	refuses: dict = field(default_factory=dict)
	mixed: dict = field(default_factory=dict)
	headers: dict = field(default_factory=dict)
	guest: str = ""
	unlike: str = ""
	echoes: str = ""


def wallet(takes, *, writes=False, manages=False, **more):
	"""A call in a wallet, for its members."""
	refuses = {"viewer": READ_ONLY} if writes else {}
	if manages:
		refuses |= {"viewer": DENIED, "member": DENIED}
	outside = dict.fromkeys(("auditor", "manager"), OUT)
	return Row({"wallet_id": "<wallet>", **takes}, OUT, OUT, refuses=refuses | outside, **more)


def tenant(takes, *, writes=False, **more):
	"""A call in a tenant, for its members."""
	refuses = {"viewer": (403, "space_read_only")} if writes else {}
	outside = dict.fromkeys(("auditor", "manager"), NO_TENANT)
	return Row({"tenant_id": "<tenant>", **takes}, NO_TENANT, NO_TENANT, refuses=refuses | outside, **more)


def runs(takes, *, operates=False, **more):
	"""A call about runs: members of the tenant may look, its admins and owners may act."""
	refuses = {"viewer": (403, "space_read_only"), "member": DENIED} if operates else {}
	outside = dict.fromkeys(("auditor", "manager"), NO_TENANT)
	headers = {"X-Tenant-ID": "<tenant>"}
	return Row(takes, NO_TENANT, NO_TENANT, refuses=refuses | outside, headers=headers, **more)


def desk(takes, limited=GONE, *, reads=False):
	"""A call of the conflict centre, for Sync Managers and, when it only reads, for Sync Auditors."""
	members = dict.fromkeys(MEMBERS, DENIED)
	return Row(
		takes, DENIED, limited, may="manager", refuses=members | ({} if reads else {"auditor": DENIED})
	)


def signed(verb):
	takes = {name: f"<{verb}_{name}>" for name in SIGNED}
	return Row(
		takes,
		(403, "url_not_yours"),
		(403, "url_not_yours"),
		guest="the URL is the credential",
		unlike="who has a URL knows already that its key exists",
	)


DEVICE = {"device_id": "<device>"}
METERS = {"collection": "meter", "schema_version": 0}
OF_TENANT = {"space_type": "tenant", "space": "<tenant>"}
WATERMELON = {"updated": [{"id": "<meter>", "_changed": "reading", "reading": 9}], "deleted": ["<meter>"]}
NO_COLLECTION = (404, "unknown_collection")
ONE = {"conflict_id": "<conflict>"}
RULE = {**ONE, "field": "color", "rule": "ask"}

MATRIX = {
	"batch.rotate": Row({}, OWN),
	"batch.sync": Row(
		{"syncId": "<op>", "farmId": "<farm>"}, NO_TENANT, NO_TENANT, refuses={"auditor": NO_TENANT}
	),
	"batch.token": Row(
		{"username": "<user>", "password": "wrong", "deviceId": "x"},
		(401, "invalid_login"),
		guest="it checks a password",
		may="",
	),
	"clients.refused": Row(OF_TENANT, NO_TENANT, NO_TENANT, refuses={"auditor": NO_TENANT}),
	"clients.schema": Row(OF_TENANT, NO_TENANT, NO_TENANT, refuses={"auditor": NO_TENANT}),
	"conflicts.counts": desk({}, OWN, reads=True),
	"conflicts.dismiss": desk({**ONE, "reason": "x"}),
	"conflicts.form": desk(ONE, reads=True),
	"conflicts.job": desk({"job": "<job>"}),
	"conflicts.list_conflicts": desk({}, OWN, reads=True),
	"conflicts.read": desk(ONE, reads=True),
	"conflicts.reopen": desk(ONE),
	"conflicts.resolve": desk({**ONE, "resolution": "accept_server"}),
	"conflicts.resolve_many": desk({"conflicts": ["<conflict>"], "resolution": "accept_server"}, ROWS),
	"desk_devices.revoke": Row(
		{"device": "<device_name>"}, DENIED, GONE, refuses={"member": DENIED, "auditor": DENIED}
	),
	"devices.list_devices": Row({}, OWN),
	"devices.login": Row(
		{"usr": "<user>", "pwd": "wrong", **DEVICE},
		(401, "invalid_login"),
		guest="it checks a password",
		may="",
	),
	"devices.register_device": Row(DEVICE, DENIED, refuses={"owner": DENIED}, may=""),
	"devices.revoke_device": Row({"device_id": "<owners_device>"}, GONE, GONE, may="owner"),
	"devices.rotate_token": Row(DEVICE, OWN),
	"family.delta": Row(
		{**DEVICE, "family_id": "<family>", "changes": []},
		NO_TENANT,
		NO_TENANT,
		refuses={"manager": NO_TENANT},
	),
	"field_sales.make": Row(
		{}, DENIED, DENIED, refuses=dict.fromkeys((*MEMBERS, "manager", "auditor"), DENIED), may=""
	),
	"field_sales.plan": desk({}, DENIED),
	"failed_items.dismiss": desk({"items": ["<item>"], "reason": "x"}, ROWS),
	"failed_items.list_items": desk({}, OWN, reads=True),
	"failed_items.retry": desk({"item_id": "<item>"}),
	"failed_items.retry_batch": desk({"batch_id": "<batch>"}),
	"failed_items.retry_many": desk({"items": ["<item>"]}, ROWS),
	"media.download": signed("get"),
	"media.download_url": Row({"key": "<key>"}, OUT, OUT, refuses={"auditor": OUT}),
	"media.presign": wallet({**FILE, **DEVICE}, writes=True, mixed={"pending": GONE}),
	"media.upload": signed("put"),
	"media.view": desk({"key": "<key>"}, reads=True),
	"meta.openapi": Row({}, OWN, guest="it says the same to everybody"),
	"mobile.ack": tenant({**DEVICE, "ack_token": "<token>"}, mixed={"token": (400, "invalid_cursor")}),
	"mobile.download": Row({"key": "<tenant_key>", "tenant_id": "<tenant>"}, NO_TENANT, NO_TENANT),
	"mobile.list_spaces": Row({}, OWN),
	"mobile.presign": tenant(FILE, writes=True),
	"mobile.pull": tenant({"since_token": "<token>"}, mixed={"token": (400, "invalid_cursor")}),
	"mobile.push": tenant({**DEVICE, "items": [EDIT]}, writes=True, mixed={"meter": ROWS}),
	"mobile.replay": desk({"batch_id": "<batch>"}),
	"mobile.resolve": Row(
		{"conflict_id": "<tenant_conflict>", "resolution": "accept_server"},
		GONE,
		GONE,
		refuses={"viewer": (403, "space_read_only"), "member": DENIED, "auditor": GONE},
	),
	"rules.options": desk(ONE, reads=True),
	"rules.preview": desk(RULE, reads=True),
	"rules.save": desk(RULE),
	"runs.cancel": runs({"sync_id": "<run>"}, operates=True, mixed={"run": GONE}),
	"runs.detail": runs({"sync_id": "<run>"}, mixed={"run": GONE}),
	"runs.failures": runs({}),
	# What it answers depends on the workers of the machine; see tests/runs.
	"runs.health": Row({}, None, may="", guest="monitors ask it; it names nothing"),
	"runs.history": runs({}),
	"runs.metrics": runs({}),
	"runs.preview": runs({"entity": "orders"}, operates=True),
	"runs.retry": runs({"record_ids": ["<run_record>"]}, operates=True, mixed={"run_record": (202, None)}),
	"runs.retry_one": runs({"id": "<run_record>"}, operates=True, mixed={"run_record": GONE}),
	"runs.start": runs({"entity": "orders"}, operates=True),
	"runs.status": runs({}),
	"runs_desk.cancel": desk({"run": "<run>"}),
	"runs_desk.dismiss": desk({"names": ["<run_record>"]}, ROWS),
	"runs_desk.preview": desk({"connection": "<connection>", "entity": "orders"}),
	"runs_desk.progress": desk({"run": "<run>"}, reads=True),
	"runs_desk.resume": desk({"connection": "<connection>"}),
	"runs_desk.retry": desk({"names": ["<run_record>"]}, ROWS),
	"runs_desk.start": desk({"connection": "<connection>", "entity": "orders"}),
	"runs_desk.prepare": desk({"connection": "<connection>"}),
	"runs_desk.test": desk({"connection": "<connection>"}),
	# A checkpoint of somebody else is none: everything of the caller begins again.
	"rxdb.pull": Row(
		{**METERS, "id": "<site_cursor>"}, OWN, NO_COLLECTION, refuses={"auditor": NO_COLLECTION}
	),
	"rxdb.pull_stream": Row(METERS, OWN, NO_COLLECTION, refuses={"auditor": NO_COLLECTION}),
	"rxdb.push": Row(
		{**METERS, "rows": [{"newDocumentState": {"id": "<meter>", "reading": 9}}]},
		ROWS,
		NO_COLLECTION,
		refuses={"auditor": NO_COLLECTION},
		mixed={"meter": ROWS},
	),
	"rxdb.ticket": Row(METERS, OWN, NO_COLLECTION, refuses={"auditor": NO_COLLECTION}),
	"rxdb.watch": Row(METERS, OWN, NO_COLLECTION, refuses={"auditor": NO_COLLECTION}),
	"see_as.spaces": desk({"user": "<user>"}, DENIED),
	"see_as.why": desk(
		{"user": "<user>", "document_type": "Sync Conflict", "document": "<conflict>"}, DENIED
	),
	"site.ack": Row(
		{**DEVICE, "cursor": "<site_cursor>"},
		NO_CURSOR,
		NO_CURSOR,
		refuses=dict.fromkeys(("member", "auditor"), NO_CURSOR),
	),
	# Whom it serves is tried where files are synced, in tests/site/test_attachments.py.
	"site.attachment": Row({"file": "<meter>"}, GONE, GONE, may="", refuses={"auditor": GONE}),
	"site.conflicts": Row({}, OWN, OWN),
	"site.login": Row(
		{"usr": "<user>", "pwd": "wrong", **DEVICE},
		(401, "invalid_login"),
		guest="it checks a password",
		may="",
	),
	"site.logout": Row(
		{"device_id": "<owners_device>"}, (401, "device_mismatch"), (401, "device_mismatch"), may=""
	),
	"site.media_url": Row({"key": "<tenant_key>"}, NO_TENANT, NO_TENANT, refuses={"auditor": NO_TENANT}),
	"site.presign": Row(
		{**FILE, **DEVICE, "space": "<space>"},
		NO_TENANT,
		NO_TENANT,
		refuses={"viewer": (403, "space_read_only"), "auditor": NO_TENANT},
	),
	# Who may print meters is for the site to say; whom it serves is tried in tests/site/test_print.py.
	"site.print_record": Row(
		{**DEVICE, "type": "meter", "id": "<meter>", "format": "html"},
		GONE,
		GONE,
		may="",
		refuses={"auditor": GONE},
	),
	"site.pull": Row(
		{"cursor": "<site_cursor>"}, NO_CURSOR, NO_CURSOR, refuses={"auditor": NO_CURSOR, "member": NO_CURSOR}
	),
	"site.push": Row({**DEVICE, "changes": [ANYWHERE]}, ROWS, ROWS, mixed={"meter": ROWS}),
	"site.events": Row({}, OWN, OWN),
	"site.record": Row({"type": "meter", "id": "<meter>"}, GONE, GONE, refuses={"auditor": GONE}),
	"site.refused": Row(DEVICE, OWN, OWN, echoes="it lists what the device itself sent"),
	"site.rotate": Row(DEVICE, OWN),
	"site.schema": Row({}, OWN, OWN),
	"site.status": Row({**DEVICE, "op_ids": ["<op>"]}, ROWS, ROWS, mixed={"op": ROWS}),
	"site.ticket": Row({}, OWN, OWN),
	"site.watch": Row({}, OWN, OWN),
	"sync.sync_ack": wallet({**DEVICE, "cursor": "<cursor>"}, mixed={"cursor": (417, "invalid_cursor")}),
	"sync.sync_op_status": wallet({**DEVICE, "op_ids": ["<op>"]}, mixed={"op": ROWS}),
	"sync.sync_pull": wallet({**DEVICE, "cursor": "<cursor>"}, mixed={"cursor": (417, "invalid_cursor")}),
	"sync.sync_push": wallet({**DEVICE, "items": [CHANGE]}, writes=True, mixed={"record": ROWS}),
	"wallets.invite_accept": Row({"code": "<invite>"}, (404, "invite_invalid"), may=""),
	"wallets.invite_create": wallet({"role": "viewer"}, manages=True),
	"wallets.invite_list": wallet({}, manages=True),
	"wallets.invite_revoke": wallet({"invite_id": "<invite>"}, manages=True, mixed={"invite": GONE}),
	"wallets.member_update": wallet({"user": "<user>", "role": "viewer"}, manages=True, mixed={"user": GONE}),
	"wallets.member_remove": wallet({"user": "<user>"}, manages=True, mixed={"user": GONE}),
	"wallets.wallet_create": Row(
		{"client_id": "<wallet>", "wallet_name": "Mine"},
		OUT,
		OUT,
		refuses={"auditor": OUT},
		unlike="names of wallets are one namespace, chosen by clients at random",
	),
	"wallets.wallet_defaults": wallet({}, writes=True),
	"wallets.wallet_leave": wallet({}, may="admin"),
	"wallets.wallet_list": Row({}, OWN),
	"watermelon.pull": Row({}, OWN, OWN),
	"watermelon.push": Row({"meter": WATERMELON}, ROWS, ROWS, mixed={"meter": ROWS}),
}
