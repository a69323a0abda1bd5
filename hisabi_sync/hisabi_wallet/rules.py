"""Checks and defaults of wallet records beyond what their DocTypes say. Source: docs/contracts/wallet.md."""

import frappe

from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model.change import CREATE, Caller, Change, Stored
from hisabi_sync.engine.model.errors import ItemError

FALLBACK_CURRENCY = "USD"


def transaction(change: Change, stored: Stored | None, caller: Caller, registry: Registry) -> None:
	"""Money cannot be moved from an account to itself."""
	present = stored.values if stored else {}
	account, to_account = (change.values.get(name, present.get(name)) for name in ("account", "to_account"))
	if to_account and account == to_account:
		raise ItemError("invalid_value", ["to_account"])


def money(change: Change, stored: Stored | None, caller: Caller, registry: Registry) -> None:
	"""A record without a currency gets the wallet's, an amount that came only in the base currency is taken as it."""
	if change.operation != CREATE:
		return
	values = change.values
	for name in ("amount", "target_amount"):
		if values.get(f"{name}_base") is not None and values.get(name) is None:
			values[name] = values[f"{name}_base"]
	if not values.get("currency"):
		values["currency"] = values.get("base_currency") or wallet_currency(caller)


def wallet_currency(caller: Caller) -> str:
	"""The base currency in the wallet's settings, else the site's; looked up once a batch."""
	if "currency" not in caller.memo:
		caller.memo["currency"] = _currency_of(caller)
	return caller.memo["currency"]


def _currency_of(caller: Caller) -> str:
	filters = {"wallet_id": caller.space_key, "is_deleted": 0}
	own = frappe.db.get_value("Hisabi Settings", filters, "base_currency", order_by="creation")
	return own or frappe.db.get_default("currency") or FALLBACK_CURRENCY


def bucket(change: Change, stored: Stored | None, caller: Caller, registry: Registry) -> None:
	"""A `bucket_name` that comes without a title is the title as well."""
	if change.values.get("bucket_name"):
		change.values.setdefault("title", change.values["bucket_name"])
