"""RxDB's own published suite for replications."""

import json
import os
import subprocess
from pathlib import Path

import frappe

from hisabi_sync.engine.database import retry
from hisabi_sync.tenants import SPACE_TYPE
from tests.mobile.app import join, new_user
from tests.site.app import new_device, tenant_device
from tests.support import doctypes
from tests.support.doctypes import column, columns, permission
from tests.support.phone import new_id

PROGRAM = Path(__file__).with_name("suite.mjs")
DEVICES = 8  # the suite opens five collections
TESTS = {
	"push replication to client-server",
	"two collections",
	"should keep the master state as default conflict handler",
}


def test_all_of_it_passes(server, site):
	kind = f"Rx Human {new_id('x').rpartition('-')[2]}"
	frappe.set_user("Administrator")
	rights = [permission("Hisabi User"), permission("System Manager")]
	fields = (*columns("tenant"), column("first_name"), column("last_name"), column("age", "Int"))
	retry.run(lambda: doctypes.make(kind, fields, permissions=rights))
	doctypes.sync(kind, SPACE_TYPE, "tenant", check_permissions=1)
	try:
		clerk = tenant_device(server, site)
		others = [new_device(server, site, new_user()) for _ in range(DEVICES)]
		for device in others:
			join(clerk.tenant, device.user, "member")
		tokens = [device.token for device in (clerk, *others)]
		node = os.environ.get("HISABI_NODE") or "node"
		command = [node, str(PROGRAM), server.url, site, frappe.scrub(kind), *tokens]
		done = subprocess.run(command, capture_output=True, text=True, timeout=300)
	finally:
		doctypes.remove(kind)
	lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
	assert {line["name"] for line in lines} == TESTS, done.stdout + done.stderr
	assert [line for line in lines if "fails" in line] == []
