"""RxDB's replication: pull, push and the stream, as its own helpers call them. Source: docs/contracts/rxdb.md."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from frappe.utils import create_batch
from werkzeug.wrappers import Response

from hisabi_sync.api.protocol import push_and_pull
from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.api.protocol.push_and_pull import page_size
from hisabi_sync.api.rxdb import documents, models, places, rows
from hisabi_sync.api.rxdb.documents import Document
from hisabi_sync.api.rxdb.places import Place
from hisabi_sync.api.rxdb.rows import Row
from hisabi_sync.api.site import items
from hisabi_sync.engine import ledger, wide_pull, wide_push
from hisabi_sync.engine.model.change import CONFLICT, ERROR, Caller, Outcome
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.pull import Item
from hisabi_sync.engine.push import Options

CONTRACT = "rxdb"
DEFAULT = 100  # documents of a page
MOST_ROWS = 5000
ASK_AGAIN = 15_000  # milliseconds after which a client opens its stream again
# Times that a row is asked for again while a record that it links to is not there; then it is refused as any other.
PATIENCE = 20


# --- pull


@endpoint(CONTRACT, methods=("GET",), takes=models.RxPull, gives=models.RxPulled)
def pull(request: models.RxPull) -> dict[str, Any]:
	"""Documents that changed after the checkpoint, in the order of their changes; at first all, without those that are deleted.

	Fewer than `limit` of them mean that there are no more.
	"""
	place, limit = places.find(request), page_size(request.limit or DEFAULT)
	token, found = request.id or None, list[Document]()
	for page in _pages(place, token, limit):
		token = page.cursor
		found += [place.document(item) for item in page.items if item.entity_type == place.entity.name]
	return {"documents": found, "checkpoint": {"id": token, "lwt": _reached(place)}}


def _pages(place: Place, token: str | None, limit: int) -> Iterator[wide_pull.Page]:
	"""Pages of records until there are `limit` or no more: a page may be short where records are not told."""
	left, going = limit, True
	while going and left > 0:
		page = wide_pull.page(place.user, place.device.name, token, left, place.selection, place.held)
		yield page
		token, left, going = page.cursor, left - len(page.items), page.has_more


def _reached(place: Place) -> int:
	"""A number that grows with every change in the spaces."""
	return sum(one.caller.position for one in place.held.values())


@endpoint(
	CONTRACT, methods=("GET",), takes=models.OfCollection, gives=models.RxStream, content="text/event-stream"
)
def pull_stream(request: models.OfCollection) -> Response:
	"""The stream of changes. It tells the client to ask again later, which is a pull: no process for live events serves this site."""
	places.find(request)
	headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
	return Response(f"retry: {ASK_AGAIN}\n\n", content_type="text/event-stream", headers=headers)


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
	if not pairs:
		return []
	caller = Caller(place.user, "", place.device.name)
	changes = items.read([change for _, change in pairs])
	with push_and_pull.counted_push(caller, changes) as counted:
		answers = wide_push.push_all(
			place.device.name, place.user, changes, place.held, {}, Options(CONTRACT), counted.allowance
		)
	return [outcome for outcome, _ in answers]


def _waits(place: Place, op_ids: Sequence[str]) -> bool:
	"""Whether one of these rows, which link to what is not there, was not tried too often: the record may be on its way."""
	return any(count < PATIENCE for count in ledger.attempts(place.device.name, op_ids))


def _standing(place: Place, row: Row, item: Item | None) -> Document:
	"""The document that the server has. Where it has none, or none that the user may see, the row's own is gone."""
	return place.document(item) if item else {**row.new, documents.DELETED: True}
