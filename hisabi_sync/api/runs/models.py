"""What the calls of the sync operations contract take and give."""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from hisabi_sync.api.protocol import arguments as args
from hisabi_sync.api.protocol.schema import (
	Answer,
	Flag,
	OptionalText,
	Raw,
	Request,
	Text,
	TextList,
	choice,
	optional_choice,
	whole,
)
from hisabi_sync.api.runs.asked import read_filters, wrong

CONTRACT = "runs"
MODES = ("full", "incremental", "verify")
MOST_IDS = 1000


FILTERS = {
	"type": ["object", "null"],
	"properties": {
		"status": {"type": "array", "items": {"type": "string"}},
		"date_range": {
			"type": "object",
			"properties": {"start": {"type": "string"}, "end": {"type": "string"}},
		},
	},
	"additionalProperties": False,
}
Filters = Annotated[dict, BeforeValidator(read_filters), WithJsonSchema(FILTERS)]
Mode: Any = choice(*MODES)
Direction: Any = optional_choice("push", "pull")
# Whose values stand where both sides have changed a field.
Keep: Any = optional_choice("here", "there")


class Page(Request):
	entity: OptionalText = None
	limit: whole(1, 500, 50) = 50
	offset: whole(0, 10_000_000, 0) = 0


class List(Page):
	status: OptionalText = None


class Detail(List):
	sync_id: Text


class Run(Request):
	sync_id: Text


class One(Request):
	id: Text
	keep: Keep = None


class Retry(Request):
	entity: OptionalText = None
	record_ids: TextList = None
	keep: Keep = None

	@model_validator(mode="after")
	def _check(self) -> "Retry":
		if self.record_ids is not None and len(self.record_ids) > MOST_IDS:
			raise wrong("record_ids")
		return self


class Start(Request):
	entity: Text
	mode: Mode = "incremental"
	dry_run: Flag = False
	filters: Filters = {}
	ids: TextList = None
	idempotency_key: OptionalText = None
	confirm: OptionalText = None
	connection: OptionalText = None
	direction: Direction = None

	@model_validator(mode="after")
	def _check(self) -> "Start":
		if self.ids and (len(self.ids) > MOST_IDS or any(len(part) > args.MAX_TEXT for part in self.ids)):
			raise wrong("ids")
		return self


class Preview(Start):
	limit: whole(0, 100, 20) = 20


class History(Request):
	entity: OptionalText = None
	days: whole(1, 366, 30) = 30


class Started(Answer):
	sync_id: str
	status: str
	mode: str
	entity: str
	dry_run: bool
	connection: str
	direction: str
	started_at: str


class Change(Answer):
	field: str
	from_: Any
	to: Any

	model_config = {"extra": "forbid", "alias_generator": lambda name: name.rstrip("_")}


class LookedAt(Answer):
	entity_id: str
	operation: str
	changes: list[Change]
	error_code: str | None
	error_message: str | None


class Warning(Answer):
	code: str
	records: int


class Previewed(Answer):
	entity: str
	mode: str
	direction: str
	connection: str
	total: int
	total_is_exact: bool
	records: list[LookedAt]
	warnings: list[Warning]
	confirm: str
	expires_at: str


class RunRow(Answer):
	sync_id: str
	entity: str
	direction: str
	mode: str
	status: str
	dry_run: bool
	connection: str
	idempotency_key: str | None
	started_by: str
	started_at: str
	completed_at: str | None
	error_code: str | None
	error_message: str | None
	total_records: int
	records_processed: int
	records_completed: int
	records_created: int
	records_updated: int
	records_skipped: int
	records_failed: int
	records_dead: int
	records_pending: int


class RecordRow(Answer):
	id: str
	sync_id: str
	entity_type: str
	entity_id: str
	remote_id: str | None
	document: str | None
	operation: str | None
	status: str
	error_code: str | None
	error_message: str | None
	retry_count: int
	attempts: int
	changes: list[Change] | None
	next_attempt_at: str | None
	created_at: str
	updated_at: str
	completed_at: str | None


class Bounds(Answer):
	total: int
	limit: int
	offset: int


class Runs(Bounds):
	runs: list[RunRow]


class RunDetail(RunRow):
	records: list[RecordRow]
	records_page: Bounds


class Failures(Bounds):
	failures: list[RecordRow]


class Retried(Answer):
	status: str
	records_queued: int


class RetriedOne(Retried):
	record: RecordRow


class Day(Answer):
	date: str
	entity: str
	direction: str
	runs: int
	runs_failed: int
	total_records: int
	records_completed: int
	records_failed: int
	records_skipped: int
	seconds: float


class Days(Answer):
	days: list[Day]
	server_time: str


class Metrics(Raw):
	content: ClassVar[str] = "text/plain"
	schema_words: ClassVar[dict] = {"type": "string"}
	statuses: ClassVar[dict] = {200: "Prometheus' text format"}


class Health(Answer):
	status: str
	reasons: list[str]
	checks: dict[str, Any]
	server_time: str | None
