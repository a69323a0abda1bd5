"""What the calls about conflicts take and give."""

from typing import Any, Literal

from hisabi_sync.api.protocol.schema import (
	Answer,
	Count,
	Flag,
	Mapping,
	Reason,
	Request,
	Text,
	TextList,
	Time,
	Values,
	choice,
	rows,
	whole,
)
from hisabi_sync.desk.lists import Listed, Page, VersionedRow
from hisabi_sync.engine.conflicts.conflict_rows import CHOICES, MERGE

DISMISS = "dismiss"
Status = Literal["Open", "Resolved", "Dismissed", "Superseded", "Decided"]
Kind = Literal["update", "delete", "create", "unique", "action"]


class ConflictFilters(Request):
	status: TextList = None
	kind: TextList = None
	entity_type: TextList = None
	record: TextList = None
	client_id: TextList = None
	space: TextList = None
	device: TextList = None
	user: TextList = None
	resolution: TextList = None
	resolved_by: TextList = None


class ConflictList(ConflictFilters, Page):
	"""Each filter is a value or a list of values."""


class OfConflict(Request):
	conflict_id: Text


class Resolution(OfConflict):
	"""A manual merge takes `keep`, `{field: base, server or client}`, and `values`, `{field: value}`."""

	resolution: choice(*CHOICES)
	keep: Mapping = {}
	values: Mapping = {}
	reason: Reason = None
	version: whole(0) = None
	dry_run: Flag = False


class Dismissal(OfConflict):
	reason: Reason


class Reopening(OfConflict):
	reason: Reason = None


class ConflictRow(VersionedRow):
	conflict_id: str


class ManyResolutions(Request):
	conflicts: rows(ConflictRow, "conflict_id")
	resolution: choice(*(c for c in CHOICES if c != MERGE), DISMISS)
	reason: Reason = None


class OfJob(Request):
	job: Text


class ConflictOutcome(Answer):
	"""What became of a conflict."""

	conflict_id: str
	status: Status
	resolution: str | None
	reason: str | None
	resolved_by: str | None
	resolved_at: Time | None
	resolved_version: int | None


class RecordState(Answer):
	"""A record as it is now, in values of the wire."""

	doc_version: int | None
	server_modified: Time | None
	is_deleted: bool
	server_record: Values | None


class Settled(ConflictOutcome, RecordState):
	"""What became of a conflict, and the record as it is now."""


class _About(ConflictOutcome):
	title: str | None
	kind: Kind
	action: str | None
	entity_type: str
	record: str | None
	client_id: str | None
	document_type: str | None
	document_name: str | None
	item: str | None
	batch: str | None
	user: str | None
	policy: str | None
	base_version: int | None
	server_version: int | None
	fields: list[str]
	client_time: Time | None
	client_clock: Time | None
	clock_skew_ms: int | None
	server_time: Time | None
	opened_at: Time


class ConflictSummary(_About):
	"""A conflict without its values."""

	space: str | None
	device: str | None


class ListedConflicts(Listed):
	conflicts: list[ConflictSummary]


class SpaceName(Answer):
	name: str | None
	space_type: str | None = None
	space_key: str | None = None
	title: str | None = None


class DeviceName(Answer):
	name: str | None
	device_id: str | None = None
	device_name: str | None = None
	platform: str | None = None


class HistoryEntry(Answer):
	action: str
	at: Time
	by: str
	reason: str | None
	resolution: str | None = None
	resolved_values: Any = None
	resolved_version: int | None = None
	server_version: int | None = None
	device: str | None = None


class _Whole(_About):
	space: SpaceName
	device: DeviceName
	user_name: str | None
	resolved_by_name: str | None
	proposed: Values
	history: list[HistoryEntry]
	has_moved_on: bool
	current: RecordState


class WholeConflict(_Whole):
	"""A conflict with base, server and client values as devices know them, and the record as it is now."""

	base: Values
	server: Values
	client: Values


class FormColumn(Answer):
	name: str
	label: str | None
	fieldtype: str


class FormRow(Answer):
	"""A field of the record with a value for each side that knows one."""

	name: str
	label: str | None
	fieldtype: str
	options: str | None
	writable: bool
	unique: bool
	columns: list[FormColumn]
	asked: bool
	base: Any = None
	server: Any = None
	client: Any = None
	current: Any = None
	resolved: Any = None
	with_client: Any = None


class ConflictForm(_Whole):
	"""What the Desk shows: `whole` without wire values, labels, titles of links, and the neighbours in the list."""

	makes_new: bool
	rows: list[FormRow]
	titles: dict[str, dict[str, str | None]]
	next: str | None
	previous: str | None
	may_settle: bool


class Todo(Answer):
	open: Count
	failed: Count
