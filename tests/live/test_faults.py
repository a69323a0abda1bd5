"""What happened while Redis or the web server was away is told afterwards."""

import contextlib

import frappe

from hisabi_sync.engine.database import wake
from hisabi_sync.engine.store import announcing
from hisabi_sync.live import redis_events
from hisabi_sync.live.hub import OF_A_DEVICE
from tests.live.line import Line
from tests.live.process import Live, Stream, headers
from tests.site.app import create
from tests.support.server import Server
from tests.support.waiting import until


def test_both_sides_call_the_events_alike():
	assert (announcing.EVENT, wake.EVENT) == (redis_events.CHANGED, redis_events.WAKE)


def test_what_redis_did_not_pass_on_is_told_when_it_is_back(pair, server, kinds, tmp_path):
	"""What the process hears goes through a line of its own, which is cut while the record is made."""
	one, other = pair
	line = Line(frappe.conf.redis_queue)
	live = Live(server.url, tmp_path / "live.log", events=line.open())
	try:
		with Stream(live.url, headers(other)) as stream:
			line.cut()
			one.push(create(kinds[0], title="A"))
			assert stream.is_quiet(1)
			line.open()
			assert stream.next(20).data["types"] == [kinds[0]]
	finally:
		live.stop()
		line.cut()


def test_what_happened_while_the_web_server_was_away_is_told_when_it_is_back(pair, site, kinds, tmp_path):
	one, other = pair
	web = Server(site, tmp_path / "web.log", workers=1).start()
	live = Live(web.url, tmp_path / "live.log")
	try:
		with Stream(live.url, headers(other)) as stream:
			web.stop()
			one.push(create(kinds[0], title="A"))
			assert stream.is_quiet(1)
			web.start()
			assert stream.next(30).data["types"] == [kinds[0]]
			assert not stream.over.is_set()
	finally:
		live.stop()
		web.stop()


def test_a_device_has_no_more_streams_than_it_needs(pair, opens):
	with contextlib.ExitStack() as held:
		for _ in range(OF_A_DEVICE):
			held.enter_context(opens(pair[0]))
		answer = opens(pair[0]).answer
		assert (answer.status_code, answer.json()["error_code"]) == (429, "rate_limited")
		held.enter_context(opens(pair[1]))


def test_a_process_that_is_full_says_when_to_come_again(pair, server, tmp_path):
	live = Live(server.url, tmp_path / "live.log", most=1)
	try:
		with Stream(live.url, headers(pair[0])):
			until(lambda: live.count() == 1, 10)
			answer = Stream(live.url, headers(pair[1])).answer
			assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
	finally:
		live.stop()
