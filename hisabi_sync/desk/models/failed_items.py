"""What the calls about failed items take and give."""

from typing import Any

from hisabi_sync.api.protocol.schema import Answer, Flag, Mapping, Reason, Request, Text, TextList, Time, rows
from hisabi_sync.desk.lists import Listed, Page, VersionedRow


class ItemFilters(Request):
	entity_type: TextList = None
	error_code: TextList = None
	space: TextList = None
	device: TextList = None
	user: TextList = None
	batch: TextList = None
	client_id: TextList = None
	operation: TextList = None


class ItemList(ItemFilters, Page):
	"""Each filter is a value or a list of values."""

	dismissed: Flag = False


class ItemRetry(Request):
	"""A `payload` is the whole item as its device sends it, with the same op id."""

	item_id: Text
	payload: Mapping = {}


class ItemRow(VersionedRow):
	item_id: str


class ManyRetries(Request):
	items: rows(ItemRow, "item_id")


class BatchRetry(Request):
	batch_id: Text


class ItemDismissal(ManyRetries):
	reason: Reason


class FailedItem(Answer):
	item_id: str
	status: str
	op_id: str | None
	entity_type: str | None
	client_id: str | None
	operation: str | None
	base_version: str | None
	error_code: str | None
	error_message: str | None
	attempts: int
	batch: str | None
	position: int
	space: str | None
	device: str | None
	user: str | None
	creation: Time
	modified: Time
	dismissed: bool
	dismissed_by: str | None
	dismissed_at: Time | None
	dismiss_reason: str | None
	edited_by: str | None
	edited_at: Time | None
	payload: Any
	original_payload: Any


class FailedItems(Listed):
	items: list[FailedItem]
