"""Sync Conflict rows: what a device wanted, what the server holds, and what both began with."""

from hisabi_sync.engine import ids, load, sql
from hisabi_sync.engine.write import STANDARD

COLUMNS = (
	"status kind entity_type record document_type document_name space device user policy fields base_version "
	"server_version client_time server_time base_values server_values client_values"
).split()


def row(status, change, decision, stored, entity, caller, now):
	"""One row for a conflict, or for a clash that the policy settled while keeping what lost (`Decided`)."""
	fields = entity.fields
	sides = {
		side: {c.field: getattr(c, side) for c in decision.clashes} for side in ("base", "server", "client")
	}
	return (
		ids.new(),
		now,
		now,
		caller.user,
		caller.user,
		status,
		"delete" if decision.delete else change.operation,
		entity.name,
		stored.name,
		entity.doctype,
		stored.document_name,
		caller.space,
		caller.device,
		caller.user,
		entity.policy,
		", ".join(decision.fields or decision.kept)[:140],
		change.base_version,
		stored.doc_version,
		change.client_time,
		stored.modified,
		*(load.encode_values(sides[side], fields) for side in ("base", "server", "client")),
	)


def save(rows):
	sql.insert("Sync Conflict", [*STANDARD, *COLUMNS], rows)
