"""Payloads made from the table of the wallet's entity types (`entities.json`, the contract's own)."""

import json
from pathlib import Path

import frappe

from tests.support.phone import create, new_id

TABLE = json.loads(Path(__file__).with_name("entities.json").read_text())
TYPES = TABLE["entity_types"]
WALLET, MEMBER, USER = "Hisabi Wallet", "Hisabi Wallet Member", "User"
# The wallet and its members are made in their own way; they have tests of their own.
PLAIN = [name for name in TYPES if name not in (WALLET, MEMBER)]

# Two valid values of each type, and two that are of a wrong type.
VALUES = {
	"Data": ("first", "second"),
	"Small Text": ("first line\nand another", "second"),
	"Currency": (1234.56, 0.1),
	"Float": (3.75, 0.5),
	"Percent": (40, 12.5),
	"Int": (3, 4),
	"Int (64 bit)": (1767225600123, 1767225600999),
	"Check": (1, 0),
	"Date": ("2026-01-31", "2026-02-28"),
	"Datetime": ("2026-01-31T10:20:30.000000Z", "2026-02-28T23:59:59.000000Z"),
	"JSON": ({"a": [1, 2]}, {"a": [2]}),
}
WRONG = {
	"Data": (5, {"a": 1}),
	"Small Text": (["a"], True),
	"Select": (1, ["a"]),
	"Link": (7, {"id": "a"}),
	"Currency": ([1], "twelve"),
	"Float": ({}, True),
	"Percent": (False, "x"),
	"Int": (2.5, "x"),
	"Int (64 bit)": (1.5, []),
	"Check": (2, "maybe"),
	"Date": (20260131, []),
	"Datetime": (True, {}),
	"JSON": (5, True),
	"Table": ({"a": 1}, ["a"]),
}
# Where a field's meaning narrows what a value may be.
SPECIAL = {
	"base_currency": ("USD", "SAR"),
	"quote_currency": ("YER", "EUR"),
	"currency": ("SAR", "USD"),
	"original_currency": ("USD", "SAR"),
	"code": ("XAU", "XAG"),
	"owner_entity_type": ("Hisabi Transaction", "Hisabi Account"),
	"sha256": ("a" * 64, "b" * 64),
	"total_members": (10, 12),
	"end_date": ("2026-06-30T00:00:00.000000Z", "2026-07-31T00:00:00.000000Z"),
	"until_date": ("2026-12-31", "2027-01-31"),
	"enabled_currencies": (["SAR", "USD"], ["SAR"]),
	"color": ("#112233", "#445566"),
	"locale": ("ar-YE", "en-US"),
	"app_language": ("en", "ar"),
	"timezone": ("Asia/Riyadh", "Asia/Aden"),
	"byweekday": ("MO,TU", "FR"),
	"phone_number": ("+967700000001", "+967700000002"),
	"counterparty_phone": ("+967700000001", "+967700000002"),
	"from_phone": ("+967700000001", "+967700000002"),
	"to_phone": ("+967700000003", "+967700000004"),
}


def fields_of(entity_type):
	"""{name: field} of what a device may set, without the common fields."""
	computed = TYPES[entity_type].get("computed_by_server", [])
	return {f["name"]: f for f in TYPES[entity_type]["fields"] if f["name"] not in computed}


def required_of(entity_type):
	"""The fields of the smallest valid create: the required ones and the first of each group."""
	groups = [group[0] for group in TYPES[entity_type].get("one_of", [])]
	names = [resolve(entity_type, name) for name in (*TYPES[entity_type]["required_on_create"], *groups)]
	return list(dict.fromkeys(names))


def resolve(entity_type, name):
	"""The field behind a name on the wire."""
	return name if name in fields_of(entity_type) else TYPES[entity_type].get("aliases", {}).get(name, name)


def cases(kinds=None, types=PLAIN):
	"""(entity type, field) of every field that a device may set, or of those with a type in `kinds`."""
	return [
		(entity_type, name)
		for entity_type in types
		for name, field in fields_of(entity_type).items()
		if kinds is None or field["type"] in kinds
	]


class Samples:
	"""Makes payloads for a phone's wallet, and the records that they link to."""

	def __init__(self, phone):
		self.phone, self.targets = phone, {}

	def smallest(self, entity_type, **given):
		"""A payload with the required fields only."""
		return {**{name: self.value(entity_type, name) for name in required_of(entity_type)}, **given}

	def full(self, entity_type, which=0, **given):
		"""A payload with every field that a device may set."""
		return {**{name: self.value(entity_type, name, which) for name in fields_of(entity_type)}, **given}

	def value(self, entity_type, name, which=0):
		"""A valid value; `which` is 0 or 1."""
		field = fields_of(entity_type)[name]
		if name in SPECIAL and field["type"] not in ("Link", "Select"):
			return SPECIAL[name][which]
		if field["type"] == "Select":
			return field["choices"][which]
		if field["type"] == "Link":
			return self.target(field["to"], f"{name}-{which}")
		if field["type"] == "Table":
			return [{"bucket_id": self.target("Hisabi Bucket", which), "percentage": 100}]
		return VALUES[field["type"]][which]

	def target(self, entity_type, key=0):
		"""Client id of a live record of the type; another key, another record."""
		if entity_type == WALLET:
			return self.phone.wallet_id
		if (entity_type, key) not in self.targets:
			self.targets[entity_type, key] = self.make(entity_type)
		return self.targets[entity_type, key]

	def make(self, entity_type, **given):
		"""Create the smallest valid record and return its client id."""
		client_id = new_id(entity_type.split()[-1].lower())
		(result,) = self.phone.push(create(entity_type, client_id, **self.smallest(entity_type, **given)))
		assert result["status"] == "accepted", (entity_type, result)
		return client_id


def meta_type(df):
	"""A DocType field's type in the words of the table."""
	if df.fieldtype == "Int" and df.fieldname.endswith("_ms"):
		return "Int"
	return {"Long Int": "Int (64 bit)"}.get(df.fieldtype, df.fieldtype)


def meta_of(doctype):
	return {df.fieldname: df for df in frappe.get_meta(doctype).fields}
