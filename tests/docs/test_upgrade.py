"""While a site is upgraded devices are told to come back (docs/operations.md)."""

import gzip

import pytest
import requests
from frappe.installer import update_site_config

PATHS = ("/api/method/hisabi.sync_push", "/api/v1/mobile/sync/push", "/sync/delta", "/v1/sync/batch")


@pytest.fixture
def maintenance(site):
	update_site_config("maintenance_mode", 1)
	yield
	update_site_config("maintenance_mode", 0)


@pytest.mark.usefixtures("maintenance")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_site_under_maintenance_asks_to_come_back(server, site, path, encoding):
	headers = {"X-Frappe-Site-Name": site, "Content-Type": "application/json", "Content-Encoding": encoding}
	body = gzip.compress(b"{}") if encoding == "gzip" else b"{}"
	answer = requests.post(server.url + path, data=body, headers=headers, timeout=60)
	assert answer.status_code == 503, answer.text[:500]
	said = answer.json()
	error = said["error"] if isinstance(said["error"], dict) else said
	assert error["retryable"] is True
	assert answer.headers.get("Retry-After")
