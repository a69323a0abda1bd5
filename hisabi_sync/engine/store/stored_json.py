"""Canonical values as JSON in columns: what versions replaced, and the sides of conflicts. Read by the fields as they are today."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hisabi_sync.engine.model import column_values, strict_json
from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model.change import Past
from hisabi_sync.engine.store import second_readings


def decode_past(
	version: int,
	text: str | None,
	at: datetime | None,
	fields: Mapping[str, kinds.Field],
	device: str | None = None,
) -> Past:
	"""A Past by the fields as they are today. A value that its field no longer takes is left out, as unknown."""
	noted = json.loads(text or "{}")
	present = {k: pair for k, pair in noted.items() if k in fields}
	decoded = {name: kinds.decode(fields[name], value) for name, (_, value) in present.items()}
	before = {name: value for name, value in decoded.items() if not column_values.is_unreadable(value)}
	return Past(
		version, before, {name: present[name][0] for name in before}, second_readings.own(at, noted), device
	)


def encode_past(past: Past, fields: Mapping[str, kinds.Field]) -> str:
	"""JSON of the values that a version replaced: `{field: [version in which the value was set, value]}`.

	It also has the time of the version if that is a second reading (see `store.second_readings`).
	"""
	pairs = {
		n: [past.since.get(n, 1), kinds.encode(fields[n], v)] for n, v in past.before.items() if n in fields
	}
	return strict_json.kept({**pairs, **second_readings.noted(past.at)})


def decode_values(text: str | None, fields: Mapping[str, kinds.Field]) -> dict[str, Any]:
	"""Canonical values by the fields as they are today; rows that a table no longer takes are left out."""
	found = {k: kinds.decode(fields[k], v) for k, v in json.loads(text or "{}").items() if k in fields}
	return {
		k: v
		for k, v in found.items()
		if not (fields[k].kind is kinds.ROWS and column_values.is_unreadable(v))
	}


def encode_values(values: Mapping[str, Any], fields: Mapping[str, kinds.Field]) -> str:
	"""JSON of canonical values, for a column."""
	encoded = {name: kinds.encode(fields[name], value) for name, value in values.items() if name in fields}
	return strict_json.kept(encoded)
