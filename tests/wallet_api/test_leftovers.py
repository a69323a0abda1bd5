"""A request that broke off leaves nothing to the next one in its thread."""

import pytest
import requests

from tests.support import server as servers
from tests.support.breaking import HEADER
from tests.support.phone import METHOD, new_id
from tests.wallet.people import sign_in, sign_up
from tests.wallet_api.test_devices import api_key


@pytest.fixture
def single(site, tmp_path):
	"""A server of one worker with one thread."""
	application = "tests.support.breaking:application"
	running = servers.Server(site, tmp_path / "web.log", 1, application, ("--threads=1",)).start()
	yield running
	running.stop()


def test_nobody_is_taken_for_the_device_of_a_request_that_broke_off(server, site, single):
	user = sign_up()
	phone, headers = sign_in(server, site, user), api_key(site, user)
	token = {"X-Device-Token": phone.token, "X-Frappe-Site-Name": site, HEADER: "1"}
	body = {"device_id": phone.device_id, "wallet_id": phone.wallet_id}
	broken = requests.post(f"{single.url}{METHOD}sync.sync_pull", json=body, headers=token, timeout=60)
	assert broken.status_code >= 500
	url, body = f"{single.url}{METHOD}devices.register_device", {"device_id": new_id("device")}
	answer = requests.post(url, json=body, headers=headers, timeout=60)
	assert answer.status_code == 200, answer.text
