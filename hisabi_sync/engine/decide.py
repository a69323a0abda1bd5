"""What becomes of a change, as a pure function of the change, the stored record and the policy."""

from dataclasses import dataclass, field

from hisabi_sync.engine import fields as kinds
from hisabi_sync.engine import merge as merging
from hisabi_sync.engine.change import CREATE, DELETE
from hisabi_sync.engine.errors import ItemError
from hisabi_sync.engine.policies import POLICIES, Clash, Edit, goes_by_time, settle_fields

UNKNOWN = object()  # a base value whose history is no longer kept


@dataclass(slots=True)
class Decision:
	"""`apply` with values, or `duplicate`, or `conflict` over clashes, where values are those that do not clash.

	`kept` are clashes whose loser is recorded; `again` are fields set anew, and later, to the value they have.
	"""

	kind: str
	values: dict = field(default_factory=dict)
	delete: bool = False
	merged: bool = False
	clashes: tuple = ()
	fields: tuple = ()
	kept: dict = field(default_factory=dict)
	again: tuple = ()


def decide(change, stored, entity):
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
	return _decide_update(change, stored, entity, policy)


def losses(decision):
	"""Fields whose value of the device gave way to the server's."""
	return tuple(name for name, loser in decision.kept.items() if loser == "client")


def whole(decision):
	"""The same decision where a change may not be applied in part: what would lose a field is a conflict."""
	lost = losses(decision)
	if not lost:
		return decision
	return Decision("conflict", decision.values, clashes=decision.clashes, fields=lost)


def is_stale(change, stored):
	"""Whether content, not only computed fields, changed since the change's base version."""
	return change.base_version is not None and change.base_version < stored.content_version


def _decide_create(change, stored, entity, policy):
	if not policy.device_may_create:
		raise ItemError("permission_denied")
	if stored is None or not stored.exists:
		return Decision("apply", change.values)
	if stored.deleted_at is not None:
		raise ItemError("deleted")
	differing = _differing(change.values, stored.values)
	if policy.repeat_must_match and differing:
		return Decision("conflict", clashes=_plain_clashes(differing, stored), fields=tuple(differing))
	return Decision("duplicate")


def _decide_delete(change, stored, entity, policy):
	if stored.deleted_at is not None:
		return Decision("duplicate")
	stale = is_stale(change, stored)
	if policy.may_delete(stored, stale, change.client_time, content_time(stored), entity.parameters):
		return Decision("apply", delete=True)
	return Decision("conflict", delete=True)


def _decide_update(change, stored, entity, policy):
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
	lost.pop(entity.parameters.get("time"), None)  # that a time was later is no loss
	return Decision("apply", verdict.values, merged=edit.stale, clashes=clashes, kept=lost, again=again)


def compare(change, stored, entity):
	"""Split a change into what it may set as it is and what clashes with later changes of others."""
	clean, clashes, wanted = {}, [], {}
	for name, client in _differing(_with_row_names(change.values, stored, entity), stored.values).items():
		value, clash = _compare_field(change, stored, entity, name, client)
		if clash:
			wanted[name] = client
			clashes.append(clash)
		elif not merging.same(value, stored.values.get(name)):
			clean[name] = wanted[name] = value
	correction = bool(change.correction)
	stale = is_stale(change, stored)
	return Edit(stored, wanted, clean, tuple(clashes), stale, change.client_time, correction)


def _compare_field(change, stored, entity, name, client):
	"""(value to set, None), or (None, Clash) where somebody else set another value since the base version."""
	if change.base_version is None or stored.version_of(name) <= change.base_version:
		return client, None
	base, server = base_value(stored, name, change.base_version), stored.values.get(name)
	merged, clashed = _merge_field(entity.fields[name], base, server, client)
	if not clashed:
		return merged, None
	known = None if base is UNKNOWN else base
	return None, Clash(name, known, server, client, _changed_at(stored, name, entity))


def written_again(change, stored, entity):
	"""Fields that somebody else had set to the same value before; where times decide, the later time has to count."""
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
		and change.client_time > _changed_at(stored, name, entity)
	)


def _is_closed(change, stored, entity):
	return POLICIES[entity.policy].is_settled(stored, entity.parameters) and not change.correction


def base_value(stored, name, version):
	"""The field's value at a version, from what later versions replaced; UNKNOWN when that is no longer kept.

	Goes back from the version of the present value, step by step, so that a gap in the history is noticed.
	"""
	kept = {past.version: past for past in stored.history if name in past.before}
	value, since = stored.values.get(name), stored.version_of(name)
	while since > version:
		past = kept.get(since)
		if past is None:
			return UNKNOWN
		value, since = past.before[name], past.since.get(name, 1)
	return value


def content_time(stored):
	"""When somebody last edited the record, by the clock of whoever did; computed fields do not count."""
	times = [past.at for past in stored.history if past.at]
	return max(times) if times else stored.modified


def _changed_at(stored, name, entity):
	"""When a field got its value: by the history, by the field that the policy has for the time, or by the record."""
	clock = entity.parameters.get("time")
	times = [past.at for past in stored.history if name in past.before and past.at]
	if times and name != clock:
		return times[-1]
	return stored.values.get(clock) or stored.modified


def _merge_field(field, base, server, client):
	if base is UNKNOWN:
		return server, True
	if field.kind is kinds.ROWS:
		return merging.merge_rows(base, server, client, row_keys(field))
	if field.kind is kinds.JSON:
		return merging.merge(base, server, client)
	return server, not merging.same(client, base)


def row_keys(field):
	"""Columns that identify a row that came without its name: its links."""
	return tuple(column.name for column in field.columns if column.fieldtype == "Link")


def _with_row_names(values, stored, entity):
	rows = {f.name for f in entity.tables} & set(values)
	named = {
		name: merging.name_rows(
			values[name] or [], stored.values.get(name) or [], row_keys(entity.fields[name])
		)
		for name in rows
	}
	return {**values, **named}


def _differing(values, stored_values):
	return {name: value for name, value in values.items() if not merging.same(value, stored_values.get(name))}


def _plain_clashes(values, stored):
	return tuple(
		Clash(n, None, stored.values.get(n), client, stored.modified) for n, client in values.items()
	)
