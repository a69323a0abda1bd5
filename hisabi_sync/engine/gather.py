"""Everything that judging a batch needs to know, read in a number of statements that does not grow with it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.judge import base
from hisabi_sync.engine.links import each, target_of
from hisabi_sync.engine.model.change import CREATE, Change, Stored
from hisabi_sync.engine.sharing import foreign
from hisabi_sync.engine.store import load


@dataclass(slots=True)
class Gathered:
	"""Records by Sync Record name, what links to other DocTypes may name, and document names that are taken."""

	stored: dict[str, Stored]
	foreign: foreign.Foreign
	taken: dict[str, set[str]]


def gather(
	changes: Sequence[Change], links: Iterable[set[str]], registry: Registry, users: Iterable[str]
) -> Gathered:
	"""Load what the changes touch, locked and with values, and what their links name."""
	changed = {change.record for change in changes}
	stored = load.records(changed.union(*links))
	stored.update(load.working_copies(changed & set(stored), registry))
	past = [_past(change, stored[change.record]) for change in changes if change.record in stored]
	load.history([wanted for wanted in past if wanted], registry)
	elsewhere = foreign.of_changes(
		changes,
		each,
		lambda link, entity: target_of(link, entity, registry),
		registry.by_name,
		users,
	)
	return Gathered(stored, elsewhere, _taken_names(changes, stored, registry))


def _past(change: Change, stored: Stored) -> tuple[Stored, int | None, Collection[int]] | None:
	"""(record, version after which its history counts or None, single versions that do), or None when none does."""
	if change.operation == CREATE:
		behind = base.is_makers(change, stored) and stored.began < stored.content_version
		return (stored, stored.began, ()) if behind else None
	if base.is_behind(change, stored):
		return stored, change.base_version, ()
	if change.base and change.base_version is None:
		return stored, None, {stored.version_of(name) for name in change.base}
	return None


def _taken_names(
	changes: Sequence[Change], stored: Mapping[str, Stored], registry: Registry
) -> dict[str, set[str]]:
	"""{DocType: folded names of documents that hold a new record's client id already}."""
	wanted: dict[str, list[str]] = {}
	for change in changes:
		entity = registry.by_name[change.entity_type]
		held = stored.get(change.record)
		if change.operation == CREATE and entity.bulk and (held is None or held.document_name is None):
			wanted.setdefault(entity.doctype, []).append(change.client_id)
	return {doctype: load.existing(doctype, names) for doctype, names in wanted.items()}
