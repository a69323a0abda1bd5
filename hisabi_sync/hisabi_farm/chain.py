"""The chain of corrections of an observation, written in the transaction that corrects it. Append-only."""

from collections.abc import Iterable, Mapping
from typing import Any

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.derive import Access, Effect
from hisabi_sync.engine.model import ids, merge, strict_json, texts
from hisabi_sync.engine.model.change import Stored
from hisabi_sync.engine.store.write import STANDARD
from hisabi_sync.hisabi_farm.document import CONFIRMED
from hisabi_sync.hisabi_farm.entities import OBSERVATION

DOCTYPE = "Field Observation Correction"
COLUMNS = "observation replaced_by farm number corrected_by corrected_at device reason changes".split()
# What is no content of an observation: who wrote what when.
AROUND = frozenset(
	"status confirmed_by confirmed_at created_on_device updated_at correction_of correction_reason".split()
)


def follow(effects: Iterable[Effect], access: Access) -> None:
	"""Hook after a batch, and after each save in the Desk: add a row for each correction."""
	touched = [effect for effect in effects if effect.entity_type == OBSERVATION and effect.after]
	rows = [row for effect in touched if effect.before for row in _in_place(effect, access)]
	rows += _by_new_ones([effect for effect in touched if not effect.before], access)
	sql.insert(DOCTYPE, [*STANDARD, *COLUMNS], rows)


def _in_place(effect: Effect, access: Access) -> list[tuple[Any, ...]]:
	"""Corrections of an observation under its own id, one for each version that this transaction made."""
	if not effect.before or effect.before.get("status") != CONFIRMED:
		return []
	(stored,) = access.copies(OBSERVATION, [effect.document_name]).values()
	steps = [step for step in _steps(effect, stored) if _changes(*step, access)]
	number = stored.values.get("corrections") or 0
	if steps:
		access.set(stored, {"corrections": number + len(steps)})
	name = effect.document_name
	return [_row(access, name, name, number + i, *step) for i, step in enumerate(steps, 1)]


def _steps(effect: Effect, stored: Stored) -> list[tuple[dict[str, Any], dict[str, Any]]]:
	"""(values before, values after) of each version; where those are written already, of all of them at once."""
	steps: list[tuple[dict[str, Any], dict[str, Any]]] = []
	after = effect.after or {}
	for past in reversed([past for past in stored.history if past.version > stored.loaded_version]):
		before = {**after, **past.before}
		steps.insert(0, (before, after))
		after = before
	return steps or [(effect.before or {}, effect.after or {})]


def _by_new_ones(effects: Iterable[Effect], access: Access) -> list[tuple[Any, ...]]:
	"""Corrections that are observations of their own; the corrected one points to its correction from now on."""
	new = {e.document_name: e.after for e in effects if e.after and e.after.get("correction_of")}
	targets = access.copies(OBSERVATION, {values["correction_of"] for values in new.values()})
	rows = []
	for name, values in new.items():
		target = targets.get(values["correction_of"])
		if target is None:
			continue
		number = (target.values.get("corrections") or 0) + 1
		rows.append(_row(access, values["correction_of"], name, number, target.values, values))
		access.set(target, {"superseded_by": name, "corrections": number})
	return rows


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], access: Access) -> dict[str, list[Any]]:
	"""{field: [before, after]} in wire values."""
	fields = access.registry.by_name[OBSERVATION].fields
	names = [name for name in fields if name not in AROUND and fields[name].access != "Computed"]
	pairs = {name: (before.get(name), after.get(name)) for name in names}
	return {
		name: [fields[name].dump(value) for value in pair]
		for name, pair in pairs.items()
		if not merge.same(*pair)
	}


def _row(
	access: Access,
	corrected: str,
	replaced_by: str,
	number: int,
	before: Mapping[str, Any],
	after: Mapping[str, Any],
) -> tuple[Any, ...]:
	caller, now = access.caller, access.writer.now
	changes = strict_json.kept(_changes(before, after, access))
	reason = texts.encode(after.get("correction_reason") or "") or None
	who = (caller.space_key, number, caller.user, now, caller.device, reason, changes)
	return (ids.new(), now, now, caller.user, caller.user, corrected, replaced_by, *who)
