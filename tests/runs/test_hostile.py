"""The other side lies, loops and dawdles: no run hangs, no worker dies of it, nothing else is harmed."""

import base64
import gzip
import json
import time
from urllib.parse import urlencode

import frappe
import pytest

from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.runs import client, plan, preview, run_request
from hisabi_sync.runs.connectors import base, frappe_site
from hisabi_sync.runs.errors import RemoteError
from tests.runs import world

pytestmark = pytest.mark.usefixtures("alone")
PATIENCE = 300  # requests after which the other side stops to loop, so that a test ends in any case


def drip(handler, head, rest):
	"""Say `head`, and then a byte of the rest now and then."""
	handler.close_connection = True
	try:
		handler.wfile.write(head)
		for number in range(len(rest)):
			time.sleep(0.4)
			handler.wfile.write(rest[number : number + 1])
	except OSError:
		pass
	return True


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIPS = {
	"body": (OK + b"Content-Length: 100000\r\n\r\n", b" " * 25),
	"chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 4),
	"headers": (OK, b"X-A: 1\r\n" * 3),
}


@pytest.mark.parametrize("what", DRIPS)
def test_an_answer_that_drips_ends_in_time(service, what):
	"""Each byte comes in time, all of them never."""
	service.interfere = lambda handler: drip(handler, *DRIPS[what])
	calling = client.Client(client.Target(service.url, read_timeout=1))
	with pytest.raises(RemoteError) as caught:
		calling.call("GET", "/products")
	assert caught.value.code == "remote_timeout"


def say(handler, raw, **headers):
	handler.send_response(200)
	for name, value in {"Content-Length": str(len(raw)), **headers}.items():
		handler.send_header(name.replace("_", "-"), value)
	handler.end_headers()
	handler.wfile.write(raw)
	return True


def test_gzip_is_read_and_bombs_are_not(service, monkeypatch):
	monkeypatch.setattr(client, "MAX_BYTES", 1024 * 1024)
	calling = client.Client(client.Target(service.url))
	small = gzip.compress(b'{"data": 1}')
	service.interfere = lambda handler: say(handler, small, Content_Encoding="gzip")
	assert calling.call("GET", "/products") == {"data": 1}
	bomb = gzip.compress(b"[" + b" " * 20_000_000 + b"]")
	service.interfere = lambda handler: say(handler, bomb, Content_Encoding="gzip")
	with pytest.raises(RemoteError, match="answer_too_large"):
		calling.call("GET", "/products")
	# A coding inside a coding multiplies; nobody asked for it.
	twice = gzip.compress(gzip.compress(b"[]"))
	service.interfere = lambda handler: say(handler, twice, Content_Encoding="gzip, gzip")
	with pytest.raises(RemoteError, match="remote_invalid_answer"):
		calling.call("GET", "/products")
	service.interfere = lambda handler: say(handler, b"\x1f\x8bnonsense", Content_Encoding="gzip")
	with pytest.raises(RemoteError, match="remote_invalid_answer"):
		calling.call("GET", "/products")


def test_what_the_other_side_says_does_not_kill_the_worker(operator, service, connection):
	"""Half a character in the message of one refusal; the other record is sent all the same."""
	bad, good = world.make_order(operator.tenant, note="bad"), world.make_order(operator.tenant)
	service.interfere = lambda handler: (
		b'"bad"' in handler.body and not handler.answer(422, {"message": "no \ud800"})
	)
	done = world.work(operator, world.begin(operator, "orders"), connection)
	by_id = {row["entity_id"]: row for row in done["records"]}
	assert by_id[good.name]["status"] == "completed", done
	assert (by_id[bad.name]["status"], by_id[bad.name]["error_code"]) == ("failed", "remote_rejected")


def test_a_password_is_not_shown_as_the_header_that_carries_it(operator, service):
	held = world.connect_service(operator.tenant, service, auth="basic", auth_name="ali")
	world.make_order(operator.tenant)
	header = base64.b64encode(f"ali:{world.SECRET}".encode()).decode()
	service.interfere = lambda handler: (
		not handler.answer(400, {"message": f"I do not know {handler.headers['Authorization']}"})
	)
	done = world.work(operator, world.begin(operator, "orders"), held)
	assert done["records"][0]["error_code"] == "remote_rejected"
	assert header not in json.dumps(done)


UNUSABLE = {
	"an id of 500 characters": {"id": "x" * 500},
	"an id with half a character": {"id": "\ud800"},
	"a time of 500 characters": {"updated_at": "z" * 500},
	"a time that is no number": {"updated_at": 10**400},
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_what_cannot_be_kept_ends_the_run_and_not_its_planner(operator, service, source, monkeypatch, what):
	monkeypatch.setattr(plan, "TRIES", 1)
	world.lists(service, lambda handler: [world.product()])
	sync_id = world.begin(operator, "products")
	world.lists(service, lambda handler: [world.product(**UNUSABLE[what])])
	done = world.work(operator, sync_id, source)
	assert (done["status"], done["error_code"]) == ("failed", "remote_invalid_answer")
	answer = operator.post("products/preview", {"mode": "full"})
	assert (answer.status_code, answer.json()["reason"]) == (503, "remote_invalid_answer")


STRANGE = ["a/b'\"\\..%2f", "..", "\U0001f600" * 100, "a\0b", " ", "a,b"]


def test_strange_ids_are_ids(operator, service, source):
	rows = [world.product(id=strange) for strange in STRANGE]
	world.lists(service, lambda handler: rows)
	done = world.work(operator, world.begin(operator, "products"), source)
	assert (done["status"], done["records_created"]) == ("completed", len(STRANGE)), done
	assert sorted(row["remote_id"] for row in done["records"]) == sorted(STRANGE)


def test_a_planner_that_fails_unforeseen_ends_its_run(operator, service, source, monkeypatch):
	world.lists(service, lambda handler: [world.product()])
	sync_id = world.begin(operator, "products")

	def broken(*arguments):
		raise KeyError("nobody thought of this")

	monkeypatch.setattr(plan, "_inward", broken)
	done = world.work(operator, sync_id, source)
	assert (done["status"], done["error_code"]) == ("failed", "internal_error")


def same_page(handler):
	"""A service that does not know the parameter of pages."""
	return [] if world.asked(handler.server) > PATIENCE else ROWS


def circle(handler):
	"""Cursors that lead from one to the other and back."""
	if world.asked(handler.server) > PATIENCE:
		return {"data": []}
	return {"data": ROWS[:1], "next": "b" if "page=a" in handler.path else "a"}


def never_ends(handler):
	"""Empty pages, each with another next one."""
	number = world.asked(handler.server)
	return {"data": [], **({"next": str(number)} if number < PATIENCE else {})}


ROWS = [world.product(), world.product()]
LOOPS = {
	"the same page": (same_page, {"size": 2}),
	"a circle of cursors": (circle, {"paging": "cursor"}),
	"pages without an end": (never_ends, {"paging": "cursor"}),
}


@pytest.mark.parametrize("how", LOOPS)
def test_pages_that_never_end_do_not_hold_a_worker(operator, service, source, monkeypatch, how):
	rows_of, options = LOOPS[how]
	world.lists(service, lambda handler: ROWS[:1])
	sync_id = world.begin(operator, "products")
	world.set_options(source, **options)
	monkeypatch.setattr(base, "MOST_PAGES", 100)
	service.seen.clear()
	world.lists(service, rows_of)
	done = world.work(operator, sync_id, source)
	assert world.asked(service) < PATIENCE
	assert (done["status"], done["error_code"]) == ("failed", "remote_endless")


@pytest.mark.parametrize("how", ["the same page", "a circle of cursors"])
def test_pages_that_never_end_do_not_hold_a_preview(operator, service, source, how):
	rows_of, options = LOOPS[how]
	world.set_options(source, **options)
	world.lists(service, rows_of)
	answer = operator.post("products/preview", {"mode": "full"})
	assert world.asked(service) < PATIENCE
	assert (answer.status_code, answer.json()["reason"]) == (503, "remote_endless")


def test_a_slow_list_does_not_hold_a_preview(operator, service, source, monkeypatch):
	monkeypatch.setattr(preview, "MOST_SECONDS", 1, raising=False)
	world.set_options(source, paging="cursor")

	def slowly(handler):
		time.sleep(0.4)
		number = world.asked(service)
		return {"data": [world.product()], **({"next": str(number)} if number < 20 else {})}

	world.lists(service, slowly)
	wanted = run_request.RunRequest(operator.space, operator.user, "products", "full")
	with pytest.raises(RequestError, match="did not answer in time"):
		preview.preview(wanted, 0)
	assert world.asked(service) < 10


def test_a_lookup_that_ignores_the_key_finds_nothing(operator, service, connection):
	"""Many services ignore parameters that they do not know: what comes is not what was looked for."""
	theirs = service.store.create("orders", {"order_number": "THEIRS", "note": "hands off"})
	order = world.make_order(operator.tenant)
	failed = []

	def interfere(handler):
		if handler.command == "POST" and not failed:
			failed.append(1)
			handler.answer(500, {})
			return True
		if handler.command == "GET":
			handler.answer(200, {"data": service.store.list("orders")})
			return True
		return False

	service.interfere = interfere
	connection.db_set("max_attempts", 5)
	frappe.db.commit()
	sync_id = world.begin(operator, "orders")
	world.work(operator, sync_id, connection)
	frappe.db.sql("UPDATE `tabSync Run Record` SET next_attempt_at = NOW(6) WHERE next_attempt_at > NOW(6)")
	frappe.db.commit()
	done = world.work(operator, sync_id, connection)
	assert done["status"] == "completed", done
	assert service.store.records["orders"][theirs["id"]]["order_number"] == "THEIRS"
	assert order.order_number in {row["order_number"] for row in service.store.list("orders")}


def test_one_id_for_two_documents_is_no_answer(operator, service, connection):
	"""Both would be kept in one record there, each overwriting the other."""
	connection.db_set("max_attempts", 1)
	frappe.db.commit()
	world.make_orders(operator.tenant, 2)
	service.interfere = lambda handler: (
		handler.command == "POST" and not handler.answer(200, {"data": {"id": "1"}})
	)
	done = world.work(operator, world.begin(operator, "orders"), connection)
	assert sorted(row["error_code"] or "" for row in done["records"]) == ["", "remote_id_taken"]


def test_an_object_is_no_value(operator, service, source):
	odd = world.product(product_name={"a') -- ": 1})
	world.lists(service, lambda handler: [odd, world.product()])
	done = world.work(operator, world.begin(operator, "products"), source)
	by_id = {row["entity_id"]: row for row in done["records"]}
	assert (by_id[odd["id"]]["status"], by_id[odd["id"]]["error_code"]) == ("failed", "local_rejected")
	assert done["records_completed"] == 1


def test_many_ids_fit_into_the_address():
	"""A server of Frappe refuses lines of more than 4094 characters."""
	asked_for, lines = [], []

	class Calls:
		def call(self, method, path, params):
			asked_for.extend(json.loads(params["filters"])[0][2])
			lines.append(f"{method} {path}?{urlencode(params)} HTTP/1.1")
			return {"data": []}

	given = tuple(f"\u0637\u0644\u0628 {number}" * 9 for number in range(300))
	connector, page = frappe_site.FrappeConnector(Calls(), "Sales Order"), base.Page([], None)
	while page:
		page = connector.page(base.Wish(ids=given, fields=("name", "customer")), page.next)
		page = page if page.next else None
	assert tuple(asked_for) == given
	assert max(map(len, lines)) < 4094 and len(lines) < 200


def test_a_slow_rate_does_not_hold_a_preview(operator, service, connection):
	connection.db_set("requests_per_minute", 1)
	frappe.db.commit()
	world.work(
		operator, world.begin(operator, "orders", ids=[world.make_order(operator.tenant).name]), connection
	)
	channels = preview._channels(connection.name)
	started = time.monotonic()
	with channels, pytest.raises(RemoteError, match="rate_used_up"):
		for _ in range(2):
			channels.client.call("GET", "/orders")
	assert time.monotonic() - started < 60
