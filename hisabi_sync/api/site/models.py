"""What the calls of the site contract take and give. Source: docs/contracts/site.md."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema, create_model

from hisabi_sync.api.media.models import Key, WantedFile
from hisabi_sync.api.protocol import arguments as args
from hisabi_sync.api.protocol.schema import (
	Answer,
	Count,
	Flag,
	Id,
	ItemCode,
	Mapping,
	OpId,
	OptionalText,
	Part,
	Raw,
	Request,
	Skew,
	Text,
	TextList,
	Time,
	Values,
	example,
	items,
	optional_choice,
	optional_text,
	whole,
)
from hisabi_sync.api.site import schema_forms, schemas
from hisabi_sync.engine.model.wide_cursor import LONGEST

Cursor: Any = optional_text(LONGEST, "invalid_cursor")
LONGEST_POSITION = LONGEST + 20  # characters of a position of a stream, which is a cursor and a mark
Version: Any = optional_text(schemas.LONGEST)  # of the schema that the app was built for
Password = Annotated[
	Any, WithJsonSchema({"type": ["string", "null"], "format": "password", "maxLength": 512})
]


class OnDevice(Request):
	"""With a device token the device is known. With a credential of Frappe's, `device_id` names one of the user's devices."""

	device_id: OptionalText = None


# --- signing in


class SiteLogin(Request):
	"""With `usr` and `pwd`, or without them for a user who is signed in with a session, an API key or OAuth.

	`contract` is what the token is for, and `scopes` are what it opens besides.
	"""

	device_id: Text
	usr: OptionalText = None
	pwd: Password = None
	platform: OptionalText = None
	device_name: OptionalText = None
	contract: OptionalText = None
	scopes: TextList = None


class SiteSpace(Answer):
	"""A space of the user. `space` is its name in all calls; `role` is the user's own, and a viewer cannot push."""

	space: str
	space_type: str
	key: str
	title: str | None
	role: Literal["viewer", "member", "admin", "owner"]
	status: str


class SiteToken(Answer):
	"""A device token. It is shown only once."""

	device_token: str
	device_id: str
	expires_at: Time | None


class SiteSignedIn(SiteToken):
	user: str
	language: str | None
	scopes: list[str]
	spaces: list[SiteSpace]


class SiteRotation(Request):
	device_id: OptionalText = None


class SiteLogout(Request):
	device_id: Text


class SiteLoggedOut(Answer):
	device_id: str
	status: Literal["revoked"]


# --- records


class SiteEvents(Request):
	"""`ticket` is for browsers. `since` is the last event that the app has seen, if it sends no `Last-Event-ID`."""

	headers: ClassVar[dict[str, str]] = {"Last-Event-ID": "The last event that the app has seen"}
	ticket: OptionalText = None
	since: optional_text(LONGEST_POSITION, "invalid_cursor") = None


class SiteTicket(Request):
	"""Nothing: the ticket is for the device of the token."""


class SiteWatch(Request):
	"""`since` is a position of the stream; without it, the stream begins now."""

	since: optional_text(LONGEST_POSITION, "invalid_cursor") = None


class SiteAttachment(Answer):
	"""A file of a record. `url` is where to download it with the token; one that is not on the site has a `link`, which gets no token.

	`key` is that of the upload that a device attached. `own` says that the caller may remove it.
	"""

	id: str
	file_name: str
	content_type: str
	size: int
	url: str = None
	link: str = None
	key: str = None
	own: Literal[True] = None


class SiteRecord(Answer):
	"""A record as it is now. `type` and `id` are its own; `name` is that of its document, which people may change.

	`spaces` are the space in which it lies and, if several share it, those of them that the user is a member of.

	`deleted` says that the device is to drop it, and `reason` why: `deleted` (gone from its space), `hidden` (the user may not read
	it any more) or `left` (the user left the space). Such a record has no `values`.
	"""

	type: str
	id: str
	spaces: list[str]
	name: str = None
	version: int = None
	modified: Time | None = None
	values: Values = None
	docstatus: int = None
	workflow_state: str | None = None
	actions: list[str] = None
	attachments: list[SiteAttachment] = None
	warnings: list[str] = None
	deleted: Literal[True] = None
	reason: Literal["deleted", "hidden", "left"] = None


class SiteBreak(Answer):
	"""What an app meets that relies on its schema. Without `field` it is the type itself."""

	type: str
	field: str | None
	change: Literal["removed", "required", "kind", "read_only", "options", "unknown"]


class SiteSchemaChanged(Answer):
	"""The schema is another one than the app's. `breaking` is what the app cannot know; it is empty where its schema still fits."""

	version: str
	breaking: list[SiteBreak]


class SitePull(OnDevice):
	"""`types` are the types that come, all without it; `fields` are the fields that come of a type: `{"Task": ["subject"]}`."""

	cursor: Cursor = None
	limit: whole(1) = None
	types: TextList = None
	fields: Mapping = {}
	schema_version: Version = None


class SiteLeft(Answer):
	space: str


class SiteSpaces(Answer):
	"""`joined`: their records begin to come. `left`: what lies in no other space is to be dropped."""

	joined: list[SiteSpace]
	left: list[SiteLeft]


class SitePulled(Answer):
	changes: list[SiteRecord]
	cursor: str
	has_more: bool
	spaces: SiteSpaces
	schema_changed: SiteSchemaChanged = None
	server_time: Time


class SiteAck(OnDevice):
	cursor: Cursor


class OfRecord(OnDevice):
	"""`space` is needed where records of several spaces have this id."""

	type: Text
	id: Text
	space: OptionalText = None


# --- changes


class SiteChange(Part):
	"""One change. An update or a delete has `base_version`, the version that the person saw, `base_values`, the values, or both.

	`values` hold only what the person set. A table is a list of rows, or `{"add": [rows], "change": [rows], "remove": [ids]}`.
	`op` `action` takes the `action`: `submit`, `cancel`, `amend`, `workflow:NAME`, `method:NAME` (with `args`), `attach` (with the
	`key` of an upload in `args`) or `detach` (with the id of the `file`); the last two need no base. `then` are actions
	that follow a create or update at once. `resolves` names the conflict that the change settles. `space` is needed only where a
	create could go into several.
	"""

	model_config = example(
		op_id="op-1", type="Task", id="task-7", op="create", values={"subject": "Call Amal"}
	)

	op_id: OpId
	type: str
	id: Id
	op: Literal["create", "update", "delete", "action"]
	values: Values | None = None
	base_version: int | None = None
	base_values: Values | None = None
	action: str | None = None
	args: dict[str, Any] | None = None
	then: list[str] | None = None
	resolves: str | None = None
	client_time: str | None = None
	space: str | None = None


class SitePush(OnDevice):
	"""`client_time` is what the device's clock says now; by it the times of the changes are corrected."""

	changes: items(SiteChange)
	atomic: Flag = False
	dry_run: Flag = False
	client_time: Skew = None
	schema_version: Version = None


class SiteDetail(Answer):
	"""One thing that is wrong: a field or a column as `items.rate`, and the number of its row where it is known."""

	field: str | None
	row: int | None
	code: ItemCode
	message: str


class SiteSides(Answer):
	"""The values of one field in a conflict. A side that is not known is left out."""

	base: Any = None
	server: Any = None
	device: Any = None


class SiteConflict(Answer):
	id: str | None
	fields: dict[str, SiteSides]


class SiteUndone(Answer):
	"""An action of `then` that was refused while the rest of the change was applied."""

	action: str
	code: ItemCode
	message: str


class SiteResult(Answer):
	"""What became of a change. `record` is there where what the server holds is not what was sent.

	`space` is the one that the change went to, `spaces` are those in which the record lies now, if several share it.
	"""

	op_id: str | None
	type: str
	id: str
	status: Literal["accepted", "duplicate", "conflict", "error"]
	space: str | None
	spaces: list[str] = None
	version: int = None
	name: str = None
	merged: Literal[True] = None
	adjusted: list[str] = None
	record: SiteRecord | None = None
	code: ItemCode = None
	message: str = None
	detail: list[SiteDetail] = None
	conflict: SiteConflict = None
	left_undone: SiteUndone = None
	retryable: bool = None
	warnings: list[str] = None
	already_applied: Literal[True] = None


class SitePushed(Answer):
	results: list[SiteResult]
	schema_changed: SiteSchemaChanged = None
	server_time: Time


class SiteStatus(OnDevice):
	op_ids: TextList


class SiteMissing(Answer):
	"""An op id that the server has no answer for."""

	op_id: str
	status: Literal["missing"]


class SiteStatuses(Answer):
	results: list[SiteResult | SiteMissing]
	server_time: Time


# --- the schema


# A class cannot have a field called `for`.
SiteSchema: Any = create_model(
	"SiteSchema",
	__base__=OnDevice,
	__doc__="`since` is the version that the app has. `for` is the form: plain, or as a client takes it.",
	since=(optional_text(schemas.LONGEST), None),
	**{"for": (optional_choice(schemas.PLAIN, *schema_forms.FORM), None)},
)


class SiteOption(Answer):
	value: str
	label: str


class SiteField(Answer):
	"""A field, or a column of a table. `label` is for people, in their language.

	`link` is the type that a link leads to, `{"doctype", "synced": false}` where the user has no records of it, or `{"by_field"}` for a
	link whose DocType another field names. `depends_on` says when a form shows the field.
	"""

	name: str
	wire_name: str
	label: str
	kind: Literal[
		"text",
		"html",
		"link",
		"file",
		"choice",
		"integer",
		"check",
		"decimal",
		"date",
		"datetime",
		"time",
		"json",
	]
	length: int | None
	precision: int | None
	options: list[SiteOption] | None
	required: bool
	read_only: bool
	default: Any
	link: Any
	depends_on: Any


class SiteTable(Answer):
	name: str
	wire_name: str
	label: str
	required: bool
	read_only: bool
	depends_on: Any
	fields: list[SiteField]


class SiteNaming(Answer):
	rule: str | None
	autoname: str | None


class SiteLimits(Answer):
	"""`values_bytes`: how large the values of a change may be, as JSON."""

	values_bytes: Count


class SiteMay(Answer):
	"""What the user may do with at least one record, as far as their roles decide."""

	create: bool
	write: bool
	delete: bool
	print: bool
	actions: list[str]


class SiteType(Answer):
	type: str
	label: str
	title_field: str | None
	fields: list[SiteField]
	tables: list[SiteTable]
	actions: list[str]
	attachments: bool
	policy: str
	naming: SiteNaming
	limits: SiteLimits
	may: SiteMay
	client_minimum: Count


class SiteSchemaAnswer(Answer):
	"""`types` are those that are new or changed since the app's version, all of them without one; `removed` are those that the user has
	no more. With a form other than plain, `schema` has all types in that form, if anything changed, and `types` is empty.

	`epoch` differs after a backup was restored.
	"""

	version: str
	epoch: Count
	types: list[SiteType]
	removed: list[str]
	schema_: Any = Field(None, alias="schema")


# --- what waits for people


class SitePage(OnDevice):
	cursor: OptionalText = None
	limit: whole(1, args.MAX_ROWS) = None


class SiteRefusal(SiteResult):
	"""A refused change. `change` is what the device sent, as far as it is kept."""

	op: str
	refused_at: Time | None
	attempts: Count
	change: Any


class SiteRefused(Answer):
	items: list[SiteRefusal]
	cursor: str | None
	has_more: bool


class SiteOpenConflict(Answer):
	"""A conflict about a change of the user's, of any of their devices; a change that `resolves` it settles it.

	`type` and `id` are those of the record, `version` the one that the conflict is about.
	"""

	type: str
	id: str
	space: str
	op: str
	action: str | None
	version: int
	conflict: SiteConflict
	opened_at: Time | None


class SiteConflicts(Answer):
	items: list[SiteOpenConflict]
	cursor: str | None
	has_more: bool


# --- files


class SitePresign(OnDevice, WantedFile):
	"""The file that is going to be uploaded, and the space of the record that will name it, where the user has several."""

	space: OptionalText = None


class SiteMedia(OnDevice):
	key: Key


class OfAttachment(OnDevice):
	"""`file` is the id of an attachment."""

	file: Text


# --- prints


class OfPrint(OfRecord):
	"""`format` is `pdf` (default) or `html`."""

	format: optional_choice("pdf", "html") = None


class Print(Raw):
	"""The print: a PDF, or with `format=html` a page that needs nothing else."""

	content: ClassVar[str] = "*/*"
	statuses: ClassVar[dict] = {200: "The print"}
