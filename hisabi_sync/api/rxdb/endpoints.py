"""RxDB's replication: pull, push and the stream, as its own helpers call them. Source: docs/contracts/rxdb.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from hisabi_sync.api.dialects import places as dialect_places
from hisabi_sync.api.dialects.values import apart
from hisabi_sync.api.protocol import streams
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.models import EventStream, Ticket, Watched
from hisabi_sync.api.protocol.push_and_pull import page_size
from hisabi_sync.api.rxdb import documents, models, places, rows
from hisabi_sync.api.rxdb.documents import Document
from hisabi_sync.api.rxdb.places import Place
from hisabi_sync.api.rxdb.rows import Present, Row
from hisabi_sync.api.site import items
from hisabi_sync.engine import ledger
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import CONFLICT, ERROR, Outcome
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.pull import Item

CONTRACT = "rxdb"
DEFAULT = 100  # documents of a page
FURTHER = 1000  # records that are read at once where others were not told
STREAMED = 25  # documents of an event: more come in the next one
MOST_ROWS = 5000
# Times that a row is asked for again while a record that it links to is not there; then it is refused as any other.
PATIENCE = 20
STREAM = streams.HELD_APART  # whose long cursors are kept apart from those of pulls

Pair = tuple[Row, dict[str, Any]]  # a row and what it asks for


# --- pull


@endpoint(CONTRACT, methods=("GET",), takes=models.RxPull, gives=models.RxPulled)
def pull(request: models.RxPull) -> dict[str, Any]:
	"""Documents that changed after the checkpoint, in the order of their changes; at first all, without those that are deleted.

	Fewer than `limit` of them mean that there are no more.
	"""
	place = places.find(request)
	items, token = _read(place, request.id or None, request.limit or DEFAULT)
	found = [place.document(item) for item in items]
	return {"documents": found, "checkpoint": {"id": token, "lwt": _reached(place)}}


def _read(place: Place, token: str | None, limit: int) -> tuple[list[Item], str]:
	"""(at least `limit` records, or all that there are; the position behind them). Where records are not told, further pages are long."""
	before = reached = place.position(token)
	found, going, size = list[Item](), True, page_size(limit)
	while going and len(found) < limit:
		page = place.page(reached, size)
		found += [item for item in page.items if item.entity_type == place.entity.name]
		reached, going, size = page.reached, page.has_more, page_size(FURTHER)
	return found, place.text_behind(before, reached, token)


def _reached(place: Place) -> int:
	"""A number for people to look at: it grows with every change in the spaces."""
	return sum(one.caller.position for one in place.held.values())


@endpoint(
	CONTRACT,
	guest=True,
	methods=("GET",),
	takes=models.RxEvents,
	gives=EventStream,
	needs=streams.require_caller,
	content=EventStream.content,
)
def pull_stream(request: models.RxEvents) -> Response:
	"""The stream of changes, `{"documents", "checkpoint"}` as a pull has them. A process of its own holds it.

	Without one the client is told to ask again later, which is a pull.
	"""
	if not request.ticket:
		places.find(request)
	return streams.ask_again()


@endpoint(CONTRACT, takes=models.OfCollection, gives=Ticket)
def ticket(request: models.OfCollection) -> dict[str, Any]:
	"""A ticket to open the stream with, for a browser: its EventSource cannot send a token."""
	places.find(request)
	return streams.new_ticket()


@endpoint(CONTRACT, methods=("GET",), takes=models.RxWatch, gives=Watched)
def watch(request: models.RxWatch) -> dict[str, Any]:
	"""What the stream tells the device since a position of it. The process that holds streams asks this."""
	place = places.find(request)
	if not request.since:
		return streams.watched(
			place.device, place.held, place.text(place.present_position(), None, STREAM), []
		)
	before = place.position(request.since)
	page = place.page(before, STREAMED)
	found = [place.document(item) for item in page.items if item.entity_type == place.entity.name]
	token = place.text_behind(before, page.reached, request.since, STREAM)
	data = {"documents": found, "checkpoint": {"id": token, "lwt": _reached(place)}}
	return streams.watched(place.device, place.held, token, [{"data": data}] if found else [], page.has_more)


# --- push


@endpoint(CONTRACT, takes=models.RxPush, gives=models.RxConflicts)
def push(request: models.RxPush) -> list[Document]:
	"""Apply rows, each by itself. Gives the present documents of those that were not applied, for the client to settle.

	A row that is refused for good is answered like one in conflict, and stays among the failed items of the device.
	"""
	place = places.find(request)
	if len(request.rows) > MOST_ROWS:
		raise RequestError("too_many_items", limit=MOST_ROWS)
	read = [(row.client_id, row) for one in request.rows if (row := rows.read(one))]
	answers = [_push(place, part) for part in apart(read, items.limit())]
	if any(answer.waits for answer in answers):
		raise RequestError("dependency_missing", retry_after=1)
	last = {document["id"]: document for answer in answers for document in answer.documents}
	return list(last.values())


@dataclass(frozen=True, slots=True)
class Answer:
	"""The documents of rows that were not applied, and whether one of them waits for a record that it links to."""

	documents: list[Document]
	waits: bool


def _push(place: Place, part: Sequence[Row]) -> Answer:
	known = place.present([row.client_id for row in part])
	wanted = [(row, change) for row in part if (change := _change(place, row, known.get(row.client_id)))]
	pairs = _without_repeats(place, wanted, known)
	judged = [(*pair, outcome) for pair, outcome in zip(pairs, _applied(place, pairs), strict=True)]
	left = [row for row, _, outcome in judged if outcome.status in (CONFLICT, ERROR)]
	waits = _waits(
		place, [change["op_id"] for _, change, outcome in judged if outcome.code == "invalid_link"]
	)
	now = place.present([row.client_id for row in left])
	return Answer([_standing(place, row, now.get(row.client_id)) for row in left], waits)


def _change(place: Place, row: Row, item: Item | None) -> dict[str, Any] | None:
	"""What a row asks for, None if the server has it already."""
	present = (
		Present(place.document(item), item.doc_version, place.json) if item else Present(json=place.json)
	)
	return rows.change(row, place.entity.name, present)


def _without_repeats(place: Place, pairs: Sequence[Pair], known: Mapping[str, Item]) -> list[Pair]:
	"""Without rows that were applied before others changed the record, and whose answer was lost: what others wrote since stays.

	A row is a repeat only if it is the last thing that the device did to the record. Two statements, and none for new records.
	"""
	there = {row.client_id: known[row.client_id] for row, _ in pairs if row.client_id in known}
	names = {
		client_id: ids.record(item.space, item.entity_type, client_id) for client_id, item in there.items()
	}
	own = ledger.newest_versions(place.device.name, names.values())
	# It was applied to the version before the one that it made.
	maybe = {
		row.client_id: rows.op_id(row, place.entity.name, own[names[row.client_id]] - 1)
		for row, _ in pairs
		if own.get(names.get(row.client_id, ""))
	}
	applied = ledger.applied(place.device.name, maybe.values())
	return [pair for pair in pairs if maybe.get(pair[0].client_id) not in applied]


def _applied(place: Place, pairs: Sequence[Pair]) -> list[Outcome]:
	"""The outcomes of rows that were made to changes of the site contract."""
	return dialect_places.applied(place.device, place.held, CONTRACT, [change for _, change in pairs])


def _waits(place: Place, op_ids: Sequence[str]) -> bool:
	"""Whether one of these rows, which link to what is not there, was not tried too often: the record may be on its way."""
	return any(count < PATIENCE for count in ledger.attempts(place.device.name, op_ids))


def _standing(place: Place, row: Row, item: Item | None) -> Document:
	"""The document that the server has. Where it has none, or none that the user may see, the row's own is gone."""
	return place.document(item) if item else {**row.new, documents.DELETED: True}
