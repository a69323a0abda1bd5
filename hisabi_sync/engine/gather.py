"""Everything that judging a batch needs to know, read in a number of statements that does not grow with it."""

from dataclasses import dataclass

from hisabi_sync.engine import load, wire
from hisabi_sync.engine.change import CREATE
from hisabi_sync.engine.decide import is_stale
from hisabi_sync.engine.policies import POLICIES


@dataclass(slots=True)
class Gathered:
	"""Records by Sync Record name, names of records that are not synced, and document names that are taken."""

	stored: dict
	foreign: dict
	taken: dict


def gather(changes, links, registry):
	"""Load what the changes touch, locked and with values, and what their links name."""
	changed = {change.record for change in changes}
	needed = {change.record for change in changes if _needs_values(change, registry)}
	stored = load.records(changed.union(*links))
	stored.update(load.working_copies(needed & set(stored), registry))
	stale = [
		(stored[change.record], change.base_version)
		for change in changes
		if change.record in stored and is_stale(change, stored[change.record])
	]
	load.history(stale, registry)
	return Gathered(stored, wire.foreign_names(changes, registry), _taken_names(changes, stored, registry))


def _needs_values(change, registry):
	policy = POLICIES[registry.by_name[change.entity_type].policy]
	return change.operation != CREATE or policy.repeat_must_match


def _taken_names(changes, stored, registry):
	"""{DocType: folded names of documents that hold a new record's client id already}."""
	wanted = {}
	for change in changes:
		entity = registry.by_name[change.entity_type]
		if change.operation == CREATE and change.record not in stored and entity.bulk:
			wanted.setdefault(entity.doctype, []).append(change.client_id)
	return {doctype: load.existing(doctype, names) for doctype, names in wanted.items()}
