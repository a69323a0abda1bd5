"""The button Set up field sales: what it would make, and making it. Source: docs/field-sales.md."""

from dataclasses import asdict
from typing import Any

import frappe

from hisabi_sync.api.protocol.http import endpoint
from hisabi_sync.desk.models import field_sales as models
from hisabi_sync.desk.see_as import require_all_spaces
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.hisabi_commerce import field_sales


def require_maker() -> None:
	"""What is synced, and with whom, is for System Managers to say."""
	if "System Manager" not in frappe.get_roles():
		raise RequestError("permission_denied")


def require_reader() -> None:
	"""For System Managers, and for Sync Managers of all spaces."""
	if "System Manager" not in frappe.get_roles():
		require_all_spaces()


@endpoint("wallet", takes=models.Ask, gives=models.Plan, needs=require_reader, methods=("GET", "POST"))
def plan(request: models.Ask) -> dict[str, Any]:
	"""What the preset would make on this site, what is there already, and which DocTypes the site does not have."""
	return _said(field_sales.plan())


@endpoint("wallet", takes=models.Make, gives=models.Plan, needs=require_maker, writes=True)
def make(request: models.Make) -> dict[str, Any]:
	"""Make what is new. With `grant_reading` the role of the reps also gets the right to read prices."""
	granted = field_sales.grant() if request.grant_reading else []
	return {**_said(field_sales.make()), "granted": granted}


def _said(parts: list[field_sales.Part]) -> dict[str, Any]:
	return {
		"parts": [asdict(part) for part in parts],
		"role": field_sales.preset()["role"],
		"unreadable": field_sales.unreadable(),
		"grantable": field_sales.grantable(),
		"may_make": "System Manager" in frappe.get_roles(),
		"granted": [],
	}
