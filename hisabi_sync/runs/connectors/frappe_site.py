"""Another Frappe or ERPNext site, over the REST API that every Frappe has. `remote_type` is the DocType there."""

import json
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote

from frappe import _
from pydantic import BaseModel, ConfigDict

from hisabi_sync.runs.connectors import frappe_files, frappe_needs
from hisabi_sync.runs.connectors.base import (
	Connector,
	Page,
	Remote,
	RemoteFile,
	Step,
	Wish,
	as_rejected,
	checked_options,
)
from hisabi_sync.runs.errors import RemoteError
from hisabi_sync.runs.needs import Needs

PAGE = 500
STAMP = "modified"
MOST_ADDRESS = 2000  # characters of ids; gunicorn takes lines of 4094


class Options(BaseModel):
	"""`filters` {field: value, or list of values}: which documents of the other side are listed."""

	model_config = ConfigDict(extra="forbid")

	filters: dict[str, Any] = {}

	def rows(self) -> list[list[Any]]:
		"""The filters as Frappe's REST takes them."""
		filters = self.filters.items()
		return [[name, "in" if isinstance(value, list) else "=", value] for name, value in filters]


class FrappeConnector(Connector):
	"""Pages by (modified, name), so that neither equal times nor changes meanwhile lose or repeat a record."""

	lists_are_flat = True
	submits = True
	attaches = True

	@staticmethod
	def check(options: dict[str, Any]) -> Options:
		"""The options, checked. Raises ValueError that names the first wrong one."""
		return checked_options(Options, options)

	@staticmethod
	def title() -> str:
		"""Its name for people."""
		return _("Frappe or ERPNext")

	def _path(self, name: str | None = None) -> str:
		path = f"/api/resource/{quote(self.remote_type, safe='')}"
		return path if name is None else f"{path}/{quote(str(name), safe='')}"

	def test(self) -> None:
		"""Ask for one name of the DocType. Raises RemoteError."""
		self._list([], ("name",), 1)

	def lacks(self, needs: Needs) -> list[RemoteError]:
		"""What the other site lacks: fields, rights, constants, and the field for our key."""
		return list(frappe_needs.lacks(self, needs))

	def prepare(self, dry_run: bool) -> list[Step]:
		"""The field for our key: there, missing, or made."""
		lacking = list(frappe_needs.key_field(self))
		if not self.key_field or not lacking:
			return []
		step = f"{self.remote_type}.{self.key_field}"
		if lacking[0].code != "key_field_missing":
			return [Step(step, False, lacking[0].message)]
		if not dry_run:
			frappe_needs.make_key_field(self)
		return [Step(step, not dry_run)]

	def page(self, wish: Wish, position: dict[str, Any] | None) -> Page:
		"""First what has the very time where the last page ended, then what is newer."""
		fields = tuple(dict.fromkeys(("name", STAMP, *wish.fields)))
		if wish.ids:
			return self._of_ids(wish.ids, fields, position)
		if position is None:
			rows = self._list([[STAMP, ">=", wish.since]] if wish.since else [], fields, PAGE)
			return self._as_page(rows, fields, len(rows) == PAGE)
		rows = self._list([[STAMP, "=", position["stamp"]], ["name", ">", position["id"]]], fields, PAGE)
		if len(rows) < PAGE:
			rows += self._list([[STAMP, ">", position["stamp"]]], fields, PAGE)
		return self._as_page(rows, fields, len(rows) >= PAGE)

	def _of_ids(self, ids: tuple[str, ...], fields: tuple[str, ...], position: dict[str, Any] | None) -> Page:
		start = position["start"] if position else 0
		end = start + _fitting(ids[start : start + PAGE])
		rows = self._list([["name", "in", list(ids[start:end])]], fields, PAGE)
		page = self._as_page(rows, fields, False)
		return Page(page.records, {"start": end} if end < len(ids) else None)

	def _as_page(self, rows: list[dict[str, Any]], fields: tuple[str, ...], more: bool) -> Page:
		records = [
			Remote(str(row["name"]), str(row[STAMP]), row if len(fields) > 2 else None) for row in rows
		]
		following = {"stamp": records[-1].stamp, "id": records[-1].id} if more else None
		return Page(records, following)

	def _list(
		self, filters: list[list[Any]], fields: tuple[str, ...], limit: int, listed: bool = True
	) -> list[dict[str, Any]]:
		"""Rows of those that take part, or of all where one is looked for by its key."""
		params = {
			"fields": json.dumps(list(fields)),
			"filters": json.dumps([*filters, *(self.options.rows() if listed else ())]),
			"order_by": f"{STAMP} asc, name asc",
			"limit_page_length": limit,
		}
		rows = _data(self.client.call("GET", self._path(), params=params), list)
		if not all(isinstance(row, dict) and row.keys() >= set(fields) & {"name", STAMP} for row in rows):
			raise RemoteError("remote_invalid_answer")
		return rows

	def get(self, remote_id: str) -> Remote | None:
		"""The document with this name, or None."""
		answer = self.client.call("GET", self._path(remote_id), missing_ok=True)
		return None if answer is None else _remote(answer)

	def find(self, key: str) -> Remote | None:
		"""The document with this key in its key field, or None; None without such a field."""
		if not self.key_field:
			return None
		rows = self._list([[self.key_field, "=", key]], ("name", STAMP), 1, listed=False)
		return Remote(str(rows[0]["name"]), str(rows[0][STAMP])) if rows else None

	def create(self, key: str, payload: dict[str, Any]) -> Remote:
		"""Insert a document."""
		return self.create_or_update(
			key, payload, lambda body: _remote(self.client.call("POST", self._path(), body))
		)

	def update(self, remote_id: str, payload: dict[str, Any], key: str) -> Remote:
		"""A 404 may be about another record, one that this links to."""
		try:
			return _remote(self.client.call("PUT", self._path(remote_id), payload))
		except RemoteError as error:
			if error.code == "remote_missing" and self.get(remote_id) is not None:
				raise as_rejected(error) from None
			raise

	def release(self, remote_id: str) -> Remote | None:
		"""The Desk copies the key into an amendment, where it may not stand a second time. A site that refuses keeps it."""
		if not (self.key_field and self._is_submittable):
			return None
		try:
			return _remote(self.client.call("PUT", self._path(remote_id), {self.key_field: ""}))
		except RemoteError as error:
			if error.code in frappe_needs.REFUSALS:
				return None
			raise

	@cached_property
	def _is_submittable(self) -> bool:
		return frappe_needs.is_submittable(self)

	def cancel(self, remote_id: str, key: str) -> None:
		"""Cancel a submitted document."""
		self.update(remote_id, {"docstatus": 2}, key)

	def delete(self, remote_id: str, key: str) -> None:
		"""Delete a document."""
		self.client.call("DELETE", self._path(remote_id))

	def files(self, remote_ids: Collection[str]) -> list[RemoteFile]:
		"""The attachments of some documents."""
		return frappe_files.of_records(self, remote_ids)

	def changed_files(
		self, since: str, position: dict[str, Any] | None
	) -> tuple[list[RemoteFile], dict[str, Any] | None]:
		"""(a page of the attachments that changed since a stamp, position of the next page or None)."""
		return frappe_files.since(self, since, position)

	def content(self, file: RemoteFile, most: int) -> bytes:
		"""The content of an attachment. Raises RemoteError for more than `most` bytes."""
		return frappe_files.content(self, file, most)

	def attach(self, remote_id: str, name: str, content: bytes, is_private: bool) -> RemoteFile:
		"""Attach a file to a document."""
		return frappe_files.attach(self, remote_id, name, content, is_private)


def _fitting(ids: Sequence[str]) -> int:
	"""How many of the ids fit into an address, at least one."""
	room = MOST_ADDRESS
	for number, identity in enumerate(ids):
		room -= len(quote(json.dumps(f"{identity}, ")))
		if room < 0:
			return max(number, 1)
	return len(ids)


def _data(answer: object, kind: type) -> Any:
	data = answer.get("data") if isinstance(answer, dict) else None
	if not isinstance(data, kind):
		raise RemoteError("remote_invalid_answer")
	return data


def _remote(answer: object) -> Remote:
	data = _data(answer, dict)
	if not data.get("name"):
		raise RemoteError("remote_invalid_answer")
	return Remote(str(data["name"]), str(data.get(STAMP) or ""), data)
