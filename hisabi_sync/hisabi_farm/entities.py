"""The batch contract's entity types: `observation`, `recommendation` and `playbook`. Source: docs/contracts/batch.md.

The first alias of a field is its name on the wire.
"""

from typing import Any

from hisabi_sync.hisabi_farm.farms import SPACE_TYPE

READ_ONLY, COMPUTED = "Read only", "Computed"
OBSERVATION, RECOMMENDATION, PLAYBOOK = "observation", "recommendation", "playbook"
DRAFT_FIRST = {"field": "status", "draft": ["draft"], "time": "updated_at"}
SHARED = {
	"crop": "",
	"field_id": "fieldId, field",
	"status": "",
	"severity": "",
	"playbook_id": "playbookId",
}
CONFIRMATION: dict[str, str | tuple[str, str]] = {
	"confirmed_by": ("confirmedBy", READ_ONLY),
	"confirmed_at": "confirmedAt",
	"created_on_device": "createdAt",
	"updated_at": "updatedAt",
}
# Names of a rule on the wire -> columns of Field Playbook Rule.
RULE_NAMES = {
	"ruleId": "rule_id",
	"title": "title",
	"condition": "condition_text",
	"advice": "advice",
	"growthStage": "growth_stage",
	"severity": "severity",
	"product": "product",
	"dose": "dose",
	"priority": "priority",
	"enabled": "enabled",
	"parameters": "parameters",
}
# Entity type: (DocType, rank, policy, its parameters, role that writes, write mode, {field: aliases or (aliases, access)})
TABLE: dict[str, tuple[str, int, str, dict[str, Any], str, str, dict[str, str | tuple[str, str]]]] = {
	PLAYBOOK: (
		"Field Playbook",
		10,
		"rebase",
		{"version": "version"},
		"admin",
		"Document",
		{name: ("", READ_ONLY) for name in ("title", "crop", "status", "version", "description", "rules")},
	),
	OBSERVATION: (
		"Field Observation",
		20,
		"draft_then_immutable",
		DRAFT_FIRST,
		"member",
		"Auto",
		{
			**SHARED,
			"category": "",
			"growth_stage": "growthStage",
			"observed_at": "observedAt",
			"notes": "",
			"photos": "",
			"location": "",
			"correction_of": "correctionOf",
			"correction_reason": "correctionReason",
			"superseded_by": ("supersededBy", COMPUTED),
			"corrections": ("", COMPUTED),
			**CONFIRMATION,
		},
	),
	RECOMMENDATION: (
		"Field Recommendation",
		30,
		"draft_then_immutable",
		DRAFT_FIRST,
		"member",
		"Auto",
		{
			**SHARED,
			"observation_id": "observationId",
			"playbook_version": "playbookVersion",
			"rule_id": "ruleId",
			"recommendation": "recommendation, text",
			"reason": "",
			"product": "",
			"dose": "",
			"dose_unit": "doseUnit",
			**CONFIRMATION,
		},
	),
}


def declare() -> list[dict[str, Any]]:
	"""Declarations in the shape that `hisabi_sync.engine.entities.contracts` takes."""
	return [_declaration(name, *row) for name, row in TABLE.items()]


def _declaration(
	name: str,
	doctype: str,
	rank: int,
	policy: str,
	parameters: dict[str, Any],
	role: str,
	write_mode: str,
	fields: dict[str, str | tuple[str, str]],
) -> dict[str, Any]:
	return {
		"entity_type": name,
		"document_type": doctype,
		"space_type": SPACE_TYPE,
		"space_path": "farm",
		"client_id_field": "client_id",
		"rank": rank,
		"policy": policy,
		"policy_parameters": parameters,
		"write_mode": write_mode,
		"write_role": role,
		"check_permissions": 0,
		"fields": [_field(fieldname, options) for fieldname, options in fields.items()],
	}


def _field(fieldname: str, options: str | tuple[str, str]) -> dict[str, str]:
	aliases, access = (options, "Read and write") if isinstance(options, str) else options
	return {"fieldname": fieldname, "access": access, "aliases": aliases}


def wire_names(entity_type: str) -> dict[str, str]:
	"""{field: its name on the wire}."""
	fields = TABLE[entity_type][-1]
	aliases = {name: options if isinstance(options, str) else options[0] for name, options in fields.items()}
	return {name: alias.partition(",")[0].strip() or name for name, alias in aliases.items()}
