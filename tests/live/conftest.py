"""A process of live events beside the tests' web server."""

import pytest

from tests.live.process import Live, Stream, headers
from tests.support.orders import kinds, names, pair

__all__ = ["kinds", "names", "pair"]


@pytest.fixture(scope="module")
def live(server, tmp_path_factory):
	running = Live(server.url, tmp_path_factory.mktemp("live") / "live.log")
	yield running
	running.stop()


@pytest.fixture
def opens(live):
	"""Opens a stream of a device; `with opens(device) as stream`."""

	def stream(device, **more):
		return Stream(live.url, {**headers(device), **more.pop("headers", {})}, **more)

	return stream
