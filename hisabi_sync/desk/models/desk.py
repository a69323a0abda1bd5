"""What the conflict centre's calls have in common: pages, and one action on many rows."""

from pydantic import ConfigDict

from hisabi_sync.api.protocol.schema import Answer, Count, Instant, OptionalText, Part, Request, Time, whole


class Page(Request):
	"""A page of a list, newest first. The `next` of one page is the `after` of the following."""

	limit: whole(1, 500, 50) = 50
	after: OptionalText = None
	since: Instant = None
	until: Instant = None


class Listed(Answer):
	next: str | None
	has_more: bool
	server_time: Time


class VersionedRow(Part):
	"""`version` is the record's version that a person has seen, when it is not the one that is shown."""

	version: int | None = None


class RowResult(Answer):
	"""What became of one row; beside these fields, whatever the action or the error says."""

	model_config = ConfigDict(extra="allow")

	id: str
	done: bool
	error_code: str | None = None
	message: str | None = None


class BulkDone(Answer):
	results: list[RowResult]
	done: Count
	failed: Count


class BulkJob(Answer):
	"""More rows than are done while somebody waits: ask for the job."""

	job: str
	total: Count


class BulkProgress(BulkDone, BulkJob):
	"""`results` are there when it is finished. `interrupted`: it ended before it reached every row."""

	user: str
	finished: bool
	interrupted: bool = False
