"""The test server as a reader of the documents finds the demo site."""

import json
import os
import stat

import pytest

from hisabi_sync.demo import site as demo_site
from tests.docs.blocks import ROOT


@pytest.fixture(scope="session")
def info(server, site):
	"""What `./dev info --json` would say of the test server."""
	return {**demo_site.prepare(), "url": server.url, "site": site}


@pytest.fixture
def shell(info, site, tmp_path):
	"""(folder, environment) in which `./dev info --json` tells of the test server, and curl names its site."""
	(tmp_path / "info.json").write_text(json.dumps(info))
	command = tmp_path / "dev"
	command.write_text(f"#!/bin/sh\ncat {tmp_path}/info.json\n")
	command.chmod(command.stat().st_mode | stat.S_IXUSR)
	(tmp_path / ".curlrc").write_text(f'header = "X-Frappe-Site-Name: {site}"\n')
	named = {"CURL_HOME": str(tmp_path), "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
	return tmp_path, {**os.environ, **named}
