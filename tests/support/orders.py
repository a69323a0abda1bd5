"""Fixtures: DocTypes that were just made, orders with rows and the shops that they link to, and two devices of a tenant."""

import frappe
import pytest

from hisabi_sync.engine.database import retry
from hisabi_sync.tenants import SPACE_TYPE
from tests.mobile.app import join, new_user
from tests.site.app import new_device, tenant_device
from tests.support import doctypes
from tests.support.doctypes import column, columns, permission
from tests.support.phone import new_id

COLUMNS = (
	column("title"),
	column("color", "Select", "\nred\ngreen\nblue"),
	column("qty", "Int"),
	column("price", "Currency"),
	column("done", "Check"),
	column("day", "Date"),
	column("note", "Small Text"),
)


@pytest.fixture(scope="module")
def kinds(site):
	"""(entity type of orders, of their shops): shops are linked, orders have rows."""
	mark = new_id("x").rpartition("-")[2]
	shop, row, order = f"Rx Shop {mark}", f"Rx Row {mark}", f"Rx Order {mark}"
	frappe.set_user("Administrator")
	rights = [permission("Hisabi User"), permission("System Manager")]
	lines = (column("item"), column("count", "Int"), column("rate", "Currency"))
	retry.run(lambda: doctypes.make(shop, columns("tenant", "title"), permissions=rights))
	retry.run(lambda: doctypes.make(row, lines, istable=1))
	fields = (*columns("tenant"), *COLUMNS, column("shop", "Link", shop), column("lines", "Table", row))
	retry.run(lambda: doctypes.make(order, fields, permissions=rights))
	for name in (shop, order):
		doctypes.sync(name, SPACE_TYPE, "tenant", check_permissions=1)
	yield order, shop
	doctypes.remove(order, row, shop)


@pytest.fixture
def names(kinds):
	"""The collections of orders and shops."""
	return [frappe.scrub(name) for name in kinds]


@pytest.fixture
def pair(server, site):
	"""Devices of two members of a new tenant."""
	one = tenant_device(server, site)
	other = new_device(server, site, new_user())
	join(one.tenant, other.user, "member")
	return one, other
