"""Deciding what becomes of a change: a pure function of the change, the stored record and the policy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any

from hisabi_sync.engine.judge import rows
from hisabi_sync.engine.judge.base import UNKNOWN, base_value, is_behind, is_own, is_stale, seen
from hisabi_sync.engine.judge.policies import (
	POLICIES,
	Clash,
	Deletion,
	Edit,
	Policy,
	goes_by_time,
	settle_fields,
)
from hisabi_sync.engine.model import actions, clock
from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model import merge as merging
from hisabi_sync.engine.model.change import CREATE, DELETE, Change, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.model.fields import Field


@dataclass(slots=True)
class Decision:
	"""`kind` is "apply", "act", "duplicate" or "conflict". For a conflict, `values` are those that do not clash.

	`fields` are in conflict. `kept` maps fields of settled clashes to the side that lost ("client" or "server"). `again` are
	fields that were set once more, at a later time, to the value that they have.
	"""

	kind: str
	values: dict[str, Any] = field(default_factory=dict)
	delete: bool = False
	merged: bool = False
	clashes: tuple[Clash, ...] = ()
	fields: tuple[str, ...] = ()
	kept: dict[str, str] = field(default_factory=dict)
	again: tuple[str, ...] = ()


def decide(change: Change, stored: Stored | None, entity: EntityType) -> Decision:
	"""Decide one change against the record it names (None when there is none). Raises ItemError."""
	policy = POLICIES[entity.policy]
	if change.operation == CREATE:
		return _decide_create(change, stored, entity, policy)
	if stored is None or not stored.exists:
		raise ItemError("not_found")
	if not change.counted and change.base_version is not None and change.base_version > stored.doc_version:
		raise ItemError("base_version_ahead", {"doc_version": stored.doc_version})
	if change.operation == DELETE:
		return _decide_delete(change, stored, entity, policy)
	if stored.deleted_at is not None:
		raise ItemError("deleted")
	if change.is_action:
		return _decide_action(change, stored, entity)
	decision = _decide_update(change, stored, entity, policy)
	return _held_back(decision, change, stored, entity) if change.then else decision


def losses(decision: Decision) -> tuple[str, ...]:
	"""Fields in which the value of the device lost."""
	return tuple(name for name, loser in decision.kept.items() if loser == "client")


def whole(decision: Decision) -> Decision:
	"""The same decision if changes are applied whole or not at all: one that would lose a field becomes a conflict."""
	lost = losses(decision)
	if not lost:
		return decision
	return Decision("conflict", decision.values, clashes=decision.clashes, fields=lost)


def _decide_create(change: Change, stored: Stored | None, entity: EntityType, policy: Policy) -> Decision:
	if not policy.device_may_create:
		raise ItemError("permission_denied")
	if change.base_version is not None and not may_begin(change.base_version, stored):
		raise ItemError("base_version_not_allowed")
	if stored is None or not stored.exists:
		return Decision("apply", change.values)
	if stored.deleted_at is not None:
		if change.base_version != stored.doc_version:
			raise ItemError("deleted")
		return Decision("apply", change.values)
	differing = differences(change, stored, entity)
	if differing:
		return Decision("conflict", clashes=_plain_clashes(differing, stored), fields=tuple(differing))
	return Decision("duplicate")


def may_begin(version: int, stored: Stored | None) -> bool:
	"""Whether a create may name this version: that of the tombstone that the record is, or was before it was made again."""
	if stored is None or not stored.exists:
		return False
	return version <= stored.doc_version if stored.deleted_at is not None else version < stored.began


def differences(change: Change, stored: Stored, entity: EntityType) -> dict[str, Any]:
	"""The values of a change that differ from the record's; its rows have the names of the record's rows that they match."""
	return _differing(rows.completed(change.values, stored, entity), stored.values)


def is_of_earlier_life(change: Change, stored: Stored) -> bool:
	"""Whether a change was made before the record was deleted and made again."""
	return change.base_version is not None and change.base_version < stored.began


def _decide_delete(change: Change, stored: Stored, entity: EntityType, policy: Policy) -> Decision:
	if stored.deleted_at is not None or is_of_earlier_life(change, stored):
		return Decision("duplicate")
	stale = is_stale(change, stored, entity)
	deletion = Deletion(stored, stale, change.client_time, content_time(stored))
	if policy.may_delete(deletion, entity.parameters):
		return Decision("apply", delete=True)
	return Decision("conflict", delete=True)


def _decide_update(change: Change, stored: Stored, entity: EntityType, policy: Policy) -> Decision:
	edit = compare(change, stored, entity)
	if not policy.is_current(change.based_on, stored, entity.parameters):
		clashes = _plain_clashes(edit.values, stored)
		return Decision(
			"conflict", clashes=clashes, fields=tuple(edit.values) or (entity.parameters["version"],)
		)
	again = written_again(change, stored, entity)
	if not edit.values:
		return Decision("apply", merged=edit.stale, again=again)
	clashes = edit.clashes or _plain_clashes(edit.values, stored)
	edit, kept = settle_fields(edit, entity.field_policies)
	verdict = policy.update(edit, entity.parameters)
	if verdict.conflict:
		return Decision("conflict", edit.clean, clashes=clashes, fields=verdict.conflict)
	lost = {**kept, **verdict.lost}
	lost.pop(entity.parameters.get("time", ""), None)  # a time that gives way to a later one is no loss
	return Decision("apply", verdict.values, merged=edit.stale, clashes=clashes, kept=lost, again=again)


def _decide_action(change: Change, stored: Stored, entity: EntityType) -> Decision:
	"""An action on a record that others changed since is a conflict, unless its rule says otherwise.

	Taking an action that was taken is no change.
	"""
	rule = require_action(change.operation, entity)
	if actions.is_done(change.operation, stored.values, entity.flow):
		return Decision("duplicate")
	since = {} if rule.on_newer else changed_since(change, stored, entity)
	if not since:
		return Decision("act")
	clashes = tuple(
		Clash(n, b, stored.values.get(n), b, _changed_at(stored, n, entity)) for n, b in since.items()
	)
	return Decision("conflict", clashes=clashes, fields=tuple(since))


def _held_back(decision: Decision, change: Change, stored: Stored, entity: EntityType) -> Decision:
	"""An edit with an action that may not be taken on what others changed is a conflict as a whole, or applied without it."""
	rules = [require_action(name, entity) for name in change.then]
	whole = any(not (rule.on_newer or rule.keeps_draft) for rule in rules)
	since = changed_since(change, stored, entity) if decision.kind == "apply" and whole else {}
	if not since:
		return decision
	return Decision("conflict", decision.values, clashes=decision.clashes, fields=tuple(since))


def require_action(name: str, entity: EntityType) -> actions.Rule:
	"""The rule by which devices may take an action. Raises ItemError action_not_allowed."""
	if name in actions.ATTACHING and entity.attachments:
		return actions.Rule(name, on_newer=True)
	rule = actions.rule_of(name, entity.actions)
	if rule is None or (entity.flow and name in actions.STEPS):
		raise ItemError("action_not_allowed", [name])
	return rule


def changed_since(change: Change, stored: Stored, entity: EntityType) -> dict[str, Any]:
	"""{field: the value that the device had seen} of what others changed since; None for a value that is no longer kept.

	Only fields that the person could look at count; computed ones change all the time.
	"""
	found: dict[str, Any] = {}
	if not is_behind(change, stored):
		return found
	for name in change.looked_at - entity.computed:
		value, is_current = seen(change, stored, entity.fields[name])
		if not is_current:
			found[name] = None if value is UNKNOWN else value
	return dict(sorted(found.items()))


def compare(change: Change, stored: Stored, entity: EntityType) -> Edit:
	"""Split a change into values that can be set, and clashes with later changes of others."""
	clean, clashes, targets = {}, [], {}
	for name, client in differences(change, stored, entity).items():
		value, clash = _compare_field(change, stored, entity, name, client)
		if clash:
			targets[name] = client
			clashes.append(clash)
		elif not merging.same(value, stored.values.get(name)):
			clean[name] = targets[name] = value
	correction = bool(change.correction)
	stale = is_stale(change, stored, entity)
	return Edit(stored, targets, clean, tuple(clashes), stale, change.client_time, correction)


def _compare_field(
	change: Change, stored: Stored, entity: EntityType, name: str, client: Any
) -> tuple[Any, Clash | None]:
	"""(value to set, None), or (None, Clash) where somebody else set another value since the base version."""
	base: Any
	base, is_current = seen(change, stored, entity.fields[name])
	if is_current and not _comes_late(change, stored, name, entity):
		return client, None
	server = stored.values.get(name)
	if entity.fields[name].kind is kinds.ROWS and base is not UNKNOWN:
		client = rows.complete_known(entity.fields[name], client, base or [])
	merged, clashed = _merge_field(entity.fields[name], base, server, client)
	if not clashed:
		return merged, None
	shown_base = None if base is UNKNOWN else base
	return None, Clash(name, shown_base, server, client, _changed_at(stored, name, entity))


def _comes_late(change: Change, stored: Stored, name: str, entity: EntityType) -> bool:
	"""Whether times decide and the value is older than a later one of the same device."""
	if change.base_version is None or stored.version_of(name) <= change.base_version:
		return False
	if not change.client_time or not goes_by_time(entity.policy, entity.parameters):
		return False
	newest = next((past for past in reversed(stored.history) if name in past.before), None)
	return (
		newest is not None
		and is_own(change, newest)
		and newest.at is not None
		and clock.is_after(newest.at, change.client_time)
	)


def written_again(change: Change, stored: Stored, entity: EntityType) -> tuple[str, ...]:
	"""Fields that others set to the same value before. Where times decide, the later time has to be kept."""
	if change.base_version is None or not change.client_time:
		return ()
	if not goes_by_time(entity.policy, entity.parameters) or _is_closed(change, stored, entity):
		return ()
	return tuple(
		name
		for name, value in change.values.items()
		if stored.version_of(name) > change.base_version
		and merging.same(value, stored.values.get(name))
		and not merging.same(value, base_value(stored, name, change.base_version))
		and clock.is_after(change.client_time, _changed_at(stored, name, entity))
	)


def _is_closed(change: Change, stored: Stored, entity: EntityType) -> bool:
	return POLICIES[entity.policy].is_settled(stored, entity.parameters) and not change.correction


def content_time(stored: Stored) -> datetime | None:
	"""When somebody last edited the record, by their own clock; computed fields do not count."""
	times = [past.at for past in stored.history if past.at]
	if not times:
		return stored.modified
	return reduce(lambda one, other: other if clock.is_after(other, one) else one, times)


def _changed_at(stored: Stored, name: str, entity: EntityType) -> Any:
	"""When a field got its value: by the history, by the field that the policy has for the time, or by the record."""
	own = entity.parameters.get("time", "")
	times = [past.at for past in stored.history if name in past.before and past.at]
	if times and name != own:
		return times[-1]
	return stored.values.get(own) or stored.modified


def _merge_field(field: Field, base: Any, server: Any, client: Any) -> tuple[Any, bool]:
	if base is UNKNOWN:
		return server, True
	if field.kind is kinds.ROWS:
		return merging.merge_rows(base, server, client, field.row_keys)
	if field.kind is kinds.JSON:
		return merging.merge(base, server, client)
	return server, not merging.same(client, base)


def _differing(values: Mapping[str, Any], stored_values: Mapping[str, Any]) -> dict[str, Any]:
	return {name: value for name, value in values.items() if not merging.same(value, stored_values.get(name))}


def _plain_clashes(values: Mapping[str, Any], stored: Stored) -> tuple[Clash, ...]:
	return tuple(
		Clash(n, None, stored.values.get(n), client, stored.modified) for n, client in values.items()
	)
