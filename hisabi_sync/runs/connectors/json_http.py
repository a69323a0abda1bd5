"""Any service of JSON over HTTP, described by options. `remote_type` is the path of the list, such as /orders.

`items` and `record` are paths into the answers of a list and of one record; `next` is where a list's answer has the cursor
or the address of its next page. `since` is the parameter that asks for what changed; `lookup` is a path with {key} that
finds a record by the key it was created with. Every write also carries the header `Idempotency-Key`.
"""

from typing import Any, Literal
from urllib.parse import quote

from frappe import _
from pydantic import BaseModel, ConfigDict, Field

from hisabi_sync.engine.model import clock
from hisabi_sync.runs.connectors.base import Connector, Page, Remote, Wish, checked_options
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.mapping import at

KEY_HEADER = "Idempotency-Key"
STAMP_DIGITS = 20


class Options(BaseModel):
	"""What a connection's row says of the other side's REST: names in its answers, paging, and methods."""

	model_config = ConfigDict(extra="forbid")

	items: str = ""
	record: str = ""
	id: str = "id"
	modified: str = "updated_at"
	paging: Literal["none", "page", "offset", "cursor"] = "page"
	page_param: str = "page"
	first_page: int = 1
	size_param: str = "limit"
	size: int = Field(100, ge=1, le=1000)
	next: str = "next"
	since: str = ""
	item_path: str = ""
	lookup: str = ""
	update_method: Literal["PUT", "PATCH", "POST"] = "PUT"
	parameters: dict[str, str] = {}


class JsonConnector(Connector):
	"""Any REST service that answers with JSON."""

	@staticmethod
	def title() -> str:
		"""Its name for people."""
		return _("JSON over HTTP")

	def __init__(self, *arguments: Any) -> None:
		super().__init__(*arguments)
		self.pages_shift = self.options.paging in ("page", "offset")

	@staticmethod
	def check(options: dict[str, Any]) -> Options:
		"""The options, checked. Raises ValueError that names the first wrong one."""
		return checked_options(Options, options)

	def page(self, wish: Wish, position: dict[str, Any] | None) -> Page:
		"""A page of the list, or of the ids that are asked for. Raises RemoteError remote_invalid_answer."""
		if wish.ids:
			return self._of_ids(wish.ids, position)
		step = _STEPS[self.options.paging]
		path, params = step.ask(self, position)
		if wish.since and self.options.since:
			params[self.options.since] = _unsorted(wish.since)
		answer = self.client.call("GET", path, params=params or None)
		rows = at(answer, self.options.items) if self.options.items else answer
		if not isinstance(rows, list):
			raise RemoteError("remote_invalid_answer")
		return Page([self._remote(row) for row in rows], step.after(self, position, rows, answer))

	def _of_ids(self, ids: tuple[str, ...], position: dict[str, Any] | None) -> Page:
		start = position["start"] if position else 0
		found = self.get(ids[start])
		following = {"start": start + 1} if start + 1 < len(ids) else None
		return Page([found] if found else [], following)

	def _item_path(self, remote_id: str) -> str:
		template = self.options.item_path or f"{self.remote_type}/{{id}}"
		return template.replace("{id}", quote(str(remote_id), safe=""))

	def _remote(self, row: Any) -> Remote:
		identity = at(row, self.options.id) if isinstance(row, dict) else None
		if isinstance(identity, bool) or not isinstance(identity, str | int) or identity == "":
			raise RemoteError("remote_invalid_answer")
		return Remote(str(identity), _sortable(at(row, self.options.modified)), row)

	def _one(self, answer: Any) -> Remote:
		return self._remote(at(answer, self.options.record) if self.options.record else answer)

	def get(self, remote_id: str) -> Remote | None:
		"""The item with this id, or None for a 404."""
		answer = self.client.call("GET", self._item_path(remote_id), missing_ok=True)
		return None if answer is None else self._one(answer)

	def find(self, key: str) -> Remote | None:
		"""The item with this key, by the path `lookup` of the options; None without one."""
		if not self.options.lookup:
			return None
		path = self.options.lookup.replace("{key}", quote(key, safe=""))
		answer = self.client.call("GET", path, missing_ok=True)
		rows = at(answer, self.options.items) if self.options.items else answer
		if isinstance(rows, list):
			return self._among([self._remote(row) for row in rows], key)
		return None if answer is None else self._one(answer)

	def _among(self, found: list[Remote], key: str) -> Remote | None:
		"""The record with the key. Services that do not know the parameter answer with all that they have."""
		if self.key_field:
			found = [remote for remote in found if at(remote.payload, self.key_field) == key]
		if len(found) > 1:
			raise RemoteError("lookup_ambiguous")
		return found[0] if found else None

	def create(self, key: str, payload: dict[str, Any]) -> Remote:
		"""Make an item; the key goes along as a header, and in the key field if there is one."""
		headers = {KEY_HEADER: key}
		return self.create_or_update(
			key,
			payload,
			lambda body: self._one(self.client.call("POST", self.remote_type, body, headers=headers)),
		)

	def update(self, remote_id: str, payload: dict[str, Any], key: str) -> Remote:
		"""Change an item; an answer without a body is taken as done."""
		method = self.options.update_method
		answer = self.client.call(method, self._item_path(remote_id), payload, headers={KEY_HEADER: key})
		return Remote(str(remote_id)) if answer is None else self._one(answer)

	def delete(self, remote_id: str, key: str) -> None:
		"""Remove an item."""
		self.client.call("DELETE", self._item_path(remote_id), headers={KEY_HEADER: key})


class _Numbered:
	"""Pages by number, or by the number of records before them."""

	def __init__(self, by_record: bool) -> None:
		self.by_record = by_record

	def ask(self, connector: JsonConnector, position: dict[str, Any] | None) -> tuple[str, dict[str, str]]:
		options = connector.options
		first = 0 if self.by_record else options.first_page
		number = position["number"] if position else first
		own = {options.page_param: str(number), options.size_param: str(options.size)}
		return connector.remote_type, {**options.parameters, **own}

	def after(
		self, connector: JsonConnector, position: dict[str, Any] | None, rows: list[Any], answer: Any
	) -> dict[str, Any] | None:
		if len(rows) < connector.options.size:
			return None
		first = 0 if self.by_record else connector.options.first_page
		number = position["number"] if position else first
		return {"number": number + (len(rows) if self.by_record else 1)}


class _Cursor:
	"""A cursor, or the whole address of the next page, as each answer names it."""

	def ask(self, connector: JsonConnector, position: dict[str, Any] | None) -> tuple[str, dict[str, str]]:
		options = connector.options
		params = {**options.parameters, options.size_param: str(options.size)}
		following = position["next"] if position else None
		if following and ("://" in following or following.startswith("/")):
			return following, {}
		return connector.remote_type, {**params, **({options.page_param: following} if following else {})}

	def after(
		self, connector: JsonConnector, position: dict[str, Any] | None, rows: list[Any], answer: Any
	) -> dict[str, Any] | None:
		following = at(answer, connector.options.next) if isinstance(answer, dict) else None
		if following in (None, "", False) or (position and str(following) == position["next"]):
			return None
		return {"next": str(following)}


class _Whole:
	"""All records in one answer."""

	def ask(self, connector: JsonConnector, position: dict[str, Any] | None) -> tuple[str, dict[str, str]]:
		return connector.remote_type, dict(connector.options.parameters)

	def after(
		self, connector: JsonConnector, position: dict[str, Any] | None, rows: list[Any], answer: Any
	) -> dict[str, Any] | None:
		return None


_STEPS: dict[str, _Numbered | _Cursor | _Whole] = {
	"page": _Numbered(False),
	"offset": _Numbered(True),
	"cursor": _Cursor(),
	"none": _Whole(),
}


def _sortable(stamp: object) -> str:
	"""A time as text that sorts: UTC for ISO-8601, zero-padded for numbers; other texts as they are."""
	if isinstance(stamp, int | float) and not isinstance(stamp, bool):
		if not abs(stamp) < 10**STAMP_DIGITS:
			raise RemoteError("remote_invalid_answer")
		return f"#{stamp:0{STAMP_DIGITS}.6f}"
	moment = clock.parse(stamp) if isinstance(stamp, str) else None
	return (clock.dump(moment) if moment else None) or str(stamp or "")


def _unsorted(stamp: str) -> str:
	"""The stamp as the service knows it."""
	if not stamp.startswith("#"):
		return stamp
	number = float(stamp[1:])
	return str(int(number) if number.is_integer() else number)
