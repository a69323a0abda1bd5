"""Streams and what concerns them, without any connection."""

import asyncio
import json
import time

import pytest

from hisabi_sync.live import redis_events, tickets
from hisabi_sync.live.hub import A_FEW, BEATS, Hub, Stream, topic, topics


def stream(hub, *spaces, user="u", device="d", site="s"):
	return Stream(site, topics(site, spaces, user, device), "0")


def told(one):
	return one.woken.is_set() and one.changed


def message(event, site="s", **values):
	return json.dumps({"event": event, "namespace": site, "room": "r", "message": values}).encode()


def run(work):
	async def inner():
		work()

	asyncio.run(inner())


def test_an_event_wakes_those_whom_it_concerns():
	def work():
		hub = Hub()
		one, other, elsewhere = stream(hub, "a"), stream(hub, "b"), stream(hub, "a", site="t")
		for each in (one, other, elsewhere):
			hub.add(each, time.monotonic())
		redis_events.take(message(redis_events.CHANGED, space="a", position=1), hub)
		assert [told(each) for each in (one, other, elsewhere)] == [True, False, False]

	run(work)


@pytest.mark.parametrize("wake", [{"users": ["u"]}, {"devices": ["d"]}, {"everybody": True}])
def test_people_and_devices_are_looked_at_again(wake):
	def work():
		hub = Hub()
		one, other = stream(hub), stream(hub, user="v", device="e", site="t")
		for each in (one, other):
			hub.add(each, time.monotonic())
		redis_events.take(message(redis_events.WAKE, **wake), hub)
		assert told(one) and not told(other)

	run(work)


def test_what_happens_between_the_question_and_the_answer_is_not_lost():
	def work():
		hub, asked_at = Hub(), time.monotonic()
		redis_events.take(message(redis_events.CHANGED, space="a"), hub)
		late, moved = stream(hub, "a"), stream(hub)
		hub.add(late, asked_at)
		hub.add(moved, time.monotonic())
		hub.move(moved, topics("s", ["a"], "u", "d"), asked_at)
		assert told(late) and told(moved)
		later = stream(hub, "a")
		hub.add(later, time.monotonic() + 1)
		assert not told(later)

	run(work)


def test_a_stream_that_ends_or_moves_is_forgotten():
	def work():
		hub = Hub()
		one = stream(hub, "a", "b")
		hub.add(one, time.monotonic())
		hub.move(one, topics("s", ["b"], "u", "d"), time.monotonic())
		assert topic("s", "space", "a") not in hub.by_topic
		hub.remove(one)
		assert not hub.by_topic and not hub.streams

	run(work)


def test_many_streams_are_not_woken_in_the_same_moment():
	async def work():
		hub = Hub()
		many = [stream(hub, "a") for _ in range(A_FEW * 2)]
		for each in many:
			hub.add(each, time.monotonic())
		hub.tell([topic("s", "space", "a")])
		assert not any(map(told, many))
		await asyncio.sleep(0.5)
		assert 0 < sum(map(told, many)) < len(many)

	asyncio.run(work())


def test_every_stream_has_its_beat():
	def work():
		hub = Hub()
		many = [stream(hub) for _ in range(50)]
		for each in many:
			hub.add(each, time.monotonic())
		for number in range(BEATS):
			hub.beat(number)
		assert all(each.woken.is_set() and not each.changed for each in many)

	run(work)


@pytest.mark.parametrize(
	"text", [b"", b"{}", b"sync_space_changed", b'["sync_space_changed"]', b'{"event":"hisabi_sync_wake"}']
)
def test_what_is_no_event_of_ours_does_no_harm(text):
	run(lambda: redis_events.take(text, Hub()))


def test_a_ticket_gives_its_token_and_no_other_does():
	ticket, name, row = tickets.new("hsd_secret")
	assert tickets.read(ticket, row) == "hsd_secret"
	assert b"secret" not in row and ticket not in name
	other = tickets.new("hsd_other")[0]
	assert tickets.read(other, row) is None and tickets.read(ticket, None) is None
