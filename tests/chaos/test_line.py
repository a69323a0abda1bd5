"""What a bad line does to real requests: lost ones never arrive, or arrive and are not answered."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import pytest

from chaos.line import FATES, Line, Lost, Weather
from tests.support.waiting import until


class Handler(BaseHTTPRequestHandler):
	def do_POST(self):
		length = int(self.headers["Content-Length"])
		body = self.rfile.read(length)
		if len(body) == length:
			self.server.got.append(json.loads(body))
		raw = json.dumps({"message": len(self.server.got)}).encode()
		self.send_response(200)
		self.send_header("Content-Length", str(len(raw)))
		self.end_headers()
		self.wfile.write(raw)

	def log_message(self, *_):
		pass


@pytest.fixture
def server():
	running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
	running.got = []
	threading.Thread(target=running.serve_forever, daemon=True).start()
	yield running
	running.shutdown()
	running.server_close()


def line(server, fate):
	made = Line(server.server_port, "site", Random(1), Weather())
	made._fate = lambda: fate
	return made


@pytest.mark.parametrize(
	("fate", "arrivals", "answers"),
	[
		("well", 1, 1),
		("slow", 1, 1),
		("twice", 2, 2),
		("request_lost", 0, 0),
		("half_sent", 0, 0),
		("answer_lost", 1, 1),
		("cut", 1, 0),
	],
)
def test_fates(server, fate, arrivals, answers):
	try:
		answer = line(server, fate).send("POST", "/", {"a": "b"})
		known = [answer, *answer.others]
		assert fate in ("well", "slow", "twice") and answer.status == 200 and answer.message in (1, 2)
	except Lost as lost:
		known = lost.answers
		assert fate in ("request_lost", "half_sent", "answer_lost", "cut")
	until(lambda: len(server.got) >= arrivals, 20)
	assert (server.got, len(known)) == ([{"a": "b"}] * arrivals, answers)


def test_fates_follow_from_the_seed_and_the_weather():
	drawn = [Line(1, "site", Random(4), Weather(loss=0.5)) for _ in range(2)]
	first, second = ([one._fate() for _ in range(500)] for one in drawn)
	assert first == second and set(first) == set(FATES)
	assert set(Line(1, "site", Random(4), Weather(loss=0))._fate() for _ in range(99)) == {"well"}


def test_a_server_that_is_not_there():
	with pytest.raises(Lost):
		Line(1, "site", Random(1), Weather()).send("POST", "/", {}, sure=True)
