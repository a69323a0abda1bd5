"""What a new wallet starts with: settings, a cash account and categories. Their client ids are fixed, so they are made only once."""

from collections.abc import Iterator
from typing import Any

import frappe

from hisabi_sync.engine import ledger, push
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import CREATE, Caller, Change, Outcome
from hisabi_sync.hisabi_wallet.rules import FALLBACK_CURRENCY

CASH = {"en": "Cash", "ar": "نقد"}
CATEGORIES = (
	# (end of the client id, kind, English, Arabic, icon, colour)
	("food", "expense", "Food", "طعام", "utensils", "#e67e22"),
	("groceries", "expense", "Groceries", "بقالة", "shopping-basket", "#27ae60"),
	("transport", "expense", "Transport", "مواصلات", "car", "#2980b9"),
	("housing", "expense", "Housing", "سكن", "home", "#8e44ad"),
	("utilities", "expense", "Water and electricity", "ماء وكهرباء", "bolt", "#f1c40f"),
	("telecom", "expense", "Phone and internet", "هاتف وإنترنت", "wifi", "#16a085"),
	("health", "expense", "Health", "صحة", "heart", "#c0392b"),
	("education", "expense", "Education", "تعليم", "book", "#34495e"),
	("clothing", "expense", "Clothing", "ملابس", "shirt", "#d35400"),
	("family", "expense", "Family", "عائلة", "users", "#e84393"),
	("leisure", "expense", "Leisure", "ترفيه", "film", "#6c5ce7"),
	("charity", "expense", "Charity and zakat", "صدقة وزكاة", "hand-heart", "#00b894"),
	("other-expense", "expense", "Other expenses", "مصاريف أخرى", "ellipsis", "#7f8c8d"),
	("salary", "income", "Salary", "راتب", "briefcase", "#2ecc71"),
	("business", "income", "Business", "تجارة", "store", "#0984e3"),
	("gift", "income", "Gifts", "هدايا", "gift", "#fd79a8"),
	("other-income", "income", "Other income", "دخل آخر", "plus", "#95a5a6"),
)
LANGUAGES = tuple(CASH)


def add(caller: Caller, language: str, currency: str | None = None) -> list[tuple[Change, Outcome]]:
	"""Create what is missing of the defaults in the caller's wallet; returns [(Change, Outcome)].

	A default that people changed or deleted stays as they left it. Raises RequestError as a push does.
	"""
	settings = _settings(caller.space_key)
	currency = (
		currency or (settings and settings[0]) or frappe.db.get_default("currency") or FALLBACK_CURRENCY
	)
	records = [] if settings else [_settings_change(currency, language)]
	records += [_account(currency, language), *_categories(language)]
	changes = [_change(caller, index, *values) for index, values in enumerate(records)]
	return list(zip(changes, push.push(caller, changes, push.Options("wallet")).outcomes, strict=True))


def _settings(wallet_id: str) -> tuple[str, str] | None:
	"""(base currency,) of settings that a device made for the wallet, or None; the defaults' own do not count."""
	filters = {"wallet_id": wallet_id, "is_deleted": 0, "client_id": ["!=", "default-settings"]}
	return frappe.db.get_value("Hisabi Settings", filters, ["base_currency", "name"], order_by="creation")


def _settings_change(currency: str, language: str) -> tuple[str, str, dict[str, Any]]:
	values = {"base_currency": currency, "enabled_currencies": [currency], "app_language": language}
	return "Hisabi Settings", "default-settings", values


def _account(currency: str, language: str) -> tuple[str, str, dict[str, Any]]:
	values = {"account_name": CASH[language], "account_type": "cash", "currency": currency, "icon": "wallet"}
	return "Hisabi Account", "default-cash", values


def _categories(language: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
	for order, (key, kind, english, arabic, icon, color) in enumerate(CATEGORIES, 1):
		name = {"en": english, "ar": arabic}[language]
		values = {"category_name": name, "kind": kind, "icon": icon, "color": color, "sort_order": order}
		yield "Hisabi Category", f"default-category-{key}", values


def _change(caller: Caller, index: int, entity_type: str, client_id: str, payload: dict[str, Any]) -> Change:
	op_id = f"defaults-{ids.new()}"
	fingerprint = ledger.fingerprint(entity_type, client_id, CREATE, payload)
	made = Change(index, op_id, entity_type, client_id, CREATE, payload, fingerprint=fingerprint, raw=payload)
	made.missing_only = True
	return made
