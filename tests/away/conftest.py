"""A web server whose Redis, one of its own, can be stopped and started again."""

import pytest
from redis import Redis as Client
from redis.exceptions import ConnectionError

from chaos.site import redis
from tests.support.server import Server
from tests.support.waiting import until
from tests.wallet.people import sign_in, sign_up


class Redis:
	"""The Redis of the server: `address` of its databases, `stop()` and `start()`."""

	def __init__(self, folder):
		self.program, self.address = redis(folder)

	def environment(self):
		return {"FRAPPE_REDIS_CACHE": f"{self.address}/0", "FRAPPE_REDIS_QUEUE": f"{self.address}/1"}

	def start(self):
		self.program.start()
		until(self._answers)
		return self

	def _answers(self):
		try:
			return Client.from_url(f"{self.address}/0").ping()
		except ConnectionError:
			return False

	def stop(self):
		self.program.stop()


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory):
	running = Redis(tmp_path_factory.mktemp("redis")).start()
	yield running
	running.stop()


@pytest.fixture
def serve(site, own_redis, tmp_path):
	"""Start a web server on that Redis."""
	started = []

	class OwnServer(Server):
		def environment(self):
			return {**super().environment(), **own_redis.environment()}

	def start():
		started.append(OwnServer(site, tmp_path / f"web-{len(started)}.log", workers=1).start())
		return started[-1]

	yield start
	own_redis.stop()
	own_redis.start()
	for server in started:
		server.stop()


@pytest.fixture
def phone_of(site):
	"""A signed-in phone of a new user at a server."""
	return lambda server: sign_in(server, site, sign_up())
