"""The mobile contract's entity types: `form`, `submission` and `meter`. Source: docs/contracts/mobile.md."""

from typing import Any

from hisabi_sync.tenants import SPACE_TYPE

READ_ONLY, COMPUTED = "Read only", "Computed"
# Entity type: (DocType, rank, policy, write mode, {field: access, or aliases with write access, or flags})
TABLE: dict[str, tuple[str, int, str, str, dict[str, dict[str, Any]]]] = {
	"form": (
		"Field Form",
		10,
		"server_only",
		"Document",
		{name: {} for name in ("title", "status", "description", "version", "definition", "versions")},
	),
	"meter": (
		"Field Meter",
		20,
		"merge",
		"Document",
		{
			"code": {"required": 1, "unique_in_space": 1},
			**{
				name: {}
				for name in ("title", "kind", "status", "location", "reading", "unit", "read_at", "note")
			},
			"last_updated_by": {"access": COMPUTED},
		},
	),
	"submission": (
		"Field Submission",
		30,
		"merge",
		"Auto",
		{
			"form_id": {"required": 1, "aliases": "form"},
			"form_version": {},
			"meter_id": {"aliases": "meter"},
			"data": {"required": 1},
			"media": {},
			"status": {},
			"submitted_by": {"access": READ_ONLY},
			"reviewed_by": {"access": READ_ONLY},
			"reviewed_at": {"access": READ_ONLY},
			"review_comment": {"access": READ_ONLY},
		},
	),
}


def declare() -> list[dict[str, Any]]:
	"""Declarations in the shape that `hisabi_sync.engine.entities.contracts` takes."""
	return [_declaration(name, *row) for name, row in TABLE.items()]


def _declaration(
	name: str, doctype: str, rank: int, policy: str, write_mode: str, fields: dict[str, dict[str, Any]]
) -> dict[str, Any]:
	return {
		"entity_type": name,
		"document_type": doctype,
		"space_type": SPACE_TYPE,
		"space_path": "tenant",
		"client_id_field": "client_id",
		"rank": rank,
		"policy": policy,
		"write_mode": write_mode,
		"write_role": "member",
		"check_permissions": 0,
		"fields": [
			{"fieldname": field, "access": "Read and write", **options} for field, options in fields.items()
		],
	}
