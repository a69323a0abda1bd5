"""RxDB's replication: pull, push and the stream, as its own helpers call them. Source: docs/contracts/rxdb.md."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from frappe.utils import create_batch
from werkzeug.wrappers import Response

from hisabi_sync.api.dialects import places as dialect_places
from hisabi_sync.api.protocol import streams
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.models import EventStream, Ticket, Watched
from hisabi_sync.api.protocol.push_and_pull import page_size
from hisabi_sync.api.rxdb import documents, models, places, rows
from hisabi_sync.api.rxdb.documents import Document
from hisabi_sync.api.rxdb.places import Place
from hisabi_sync.api.rxdb.rows import Row
from hisabi_sync.api.site import items
from hisabi_sync.engine import ledger, wide_pull
from hisabi_sync.engine.model.change import CONFLICT, ERROR, Outcome
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.pull import Item

CONTRACT = "rxdb"
DEFAULT = 100  # documents of a page
MOST_ROWS = 5000
# Times that a row is asked for again while a record that it links to is not there; then it is refused as any other.
PATIENCE = 20


# --- pull


@endpoint(CONTRACT, methods=("GET",), takes=models.RxPull, gives=models.RxPulled)
def pull(request: models.RxPull) -> dict[str, Any]:
	"""Documents that changed after the checkpoint, in the order of their changes; at first all, without those that are deleted.

	Fewer than `limit` of them mean that there are no more.
	"""
	place, limit = places.find(request), request.limit or DEFAULT
	token, found = request.id or None, list[Document]()
	for page in _pages(place, token, limit):
		token = page.cursor
		found += [place.document(item) for item in page.items if item.entity_type == place.entity.name]
	return {"documents": found, "checkpoint": {"id": token, "lwt": _reached(place)}}


def _pages(place: Place, token: str | None, limit: int) -> Iterator[wide_pull.Page]:
	"""Pages of records until there are `limit` or no more: the site has a limit for one, and where records are not told it is short."""
	left, going = limit, True
	while going and left > 0:
		page = _page(place, token, page_size(left))
		yield page
		token, left, going = page.cursor, left - len(page.items), page.has_more


def _page(place: Place, token: str | None, limit: int) -> wide_pull.Page:
	return wide_pull.page(place.user, place.device.name, token, limit, place.selection, place.held)


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
		return streams.watched(place.device, place.held, _present(place), [])
	page = _page(place, request.since, DEFAULT)
	found = [place.document(item) for item in page.items if item.entity_type == place.entity.name]
	data = {"documents": found, "checkpoint": {"id": page.cursor, "lwt": _reached(place)}}
	return streams.watched(
		place.device, place.held, page.cursor, [{"data": data}] if found else [], page.has_more
	)


def _present(place: Place) -> str:
	return wide_pull.present(place.user, place.device.name, place.selection, place.held)


# --- push


@endpoint(CONTRACT, takes=models.RxPush, gives=models.RxConflicts)
def push(request: models.RxPush) -> list[Document]:
	"""Apply rows, each by itself. Gives the present documents of those that were not applied, for the client to settle.

	A row that is refused for good is answered like one in conflict, and stays among the failed items of the device.
	"""
	place = places.find(request)
	if len(request.rows) > MOST_ROWS:
		raise RequestError("too_many_items", limit=MOST_ROWS)
	answers = [_push(place, part) for part in create_batch(request.rows, items.limit())]
	if any(answer.waits for answer in answers):
		raise RequestError("dependency_missing", retry_after=1)
	return [document for answer in answers for document in answer.documents]


@dataclass(frozen=True, slots=True)
class Answer:
	"""The documents of rows that were not applied, and whether one of them waits for a record that it links to."""

	documents: list[Document]
	waits: bool


def _push(place: Place, sent: Sequence[Any]) -> Answer:
	every = [row for one in sent if (row := rows.read(one))]
	known = place.present([row.client_id for row in every])
	pairs = [(row, change) for row in every if (change := _change(place, row, known.get(row.client_id)))]
	judged = [(*pair, outcome) for pair, outcome in zip(pairs, _applied(place, pairs), strict=True)]
	left = [row for row, _, outcome in judged if outcome.status in (CONFLICT, ERROR)]
	waits = _waits(
		place, [change["op_id"] for _, change, outcome in judged if outcome.code == "invalid_link"]
	)
	now = place.present([row.client_id for row in left])
	return Answer([_standing(place, row, now.get(row.client_id)) for row in left], waits)


def _change(place: Place, row: Row, item: Item | None) -> dict[str, Any] | None:
	"""What a row asks for, None if the server has it already."""
	present = place.document(item) if item else None
	return rows.change(row, place.entity.name, present, item.doc_version if item else 0)


def _applied(place: Place, pairs: Sequence[tuple[Row, dict[str, Any]]]) -> list[Outcome]:
	"""The outcomes of rows that were made to changes of the site contract."""
	return dialect_places.applied(place.device, place.held, CONTRACT, [change for _, change in pairs])


def _waits(place: Place, op_ids: Sequence[str]) -> bool:
	"""Whether one of these rows, which link to what is not there, was not tried too often: the record may be on its way."""
	return any(count < PATIENCE for count in ledger.attempts(place.device.name, op_ids))


def _standing(place: Place, row: Row, item: Item | None) -> Document:
	"""The document that the server has. Where it has none, or none that the user may see, the row's own is gone."""
	return place.document(item) if item else {**row.new, documents.DELETED: True}
