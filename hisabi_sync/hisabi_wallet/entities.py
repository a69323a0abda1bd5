"""The wallet contract's entity types, declared to the engine from `entities.json`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COMMON_FIELDS = ("client_created_ms", "client_modified_ms", "user")
PLAIN = "entity_type document_type space_type space_path client_id_field rank write_role write_mode".split()
ACCESS = {"user": "Read only"}


def declare() -> list[dict[str, Any]]:
	"""Declarations in the shape that `hisabi_sync.engine.entities.contracts` takes."""
	table = json.loads(Path(__file__).with_name("entities.json").read_text())
	return [_declaration(row) for row in table]


def _declaration(row: Mapping[str, Any]) -> dict[str, Any]:
	return {
		**{key: row[key] for key in PLAIN},
		"check_permissions": 0,
		"policy": "merge",
		"one_of": row["one_of"],
		"fields": [_field(row, name) for name in (*row["fields"], *COMMON_FIELDS)],
	}


def _field(row: Mapping[str, Any], name: str) -> dict[str, Any]:
	aliases = [alias for alias, target in row["aliases"].items() if target == name]
	computed = name in row["computed"]
	return {
		"fieldname": name,
		"access": "Computed"
		if computed
		else row.get("access", {}).get(name, ACCESS.get(name, "Read and write")),
		"aliases": ", ".join(aliases),
		"required": int(name in row["required"]),
	}
