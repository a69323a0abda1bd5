"""Putting a decision into effect on the working copy of a record. Pure; `write` brings it to the database."""

import json
from hashlib import blake2b

from hisabi_sync.engine import fields as kinds
from hisabi_sync.engine import strict_json
from hisabi_sync.engine.change import Past
from hisabi_sync.engine.merge import same


def create(stored, values, entity, now):
	"""Version 1 of a record: the entity type's defaults under the given values."""
	stored.values = {**entity.empty_values(), **entity.defaults, **values}
	stored.doc_version = stored.content_version = 1
	stored.field_versions, stored.history, stored.deleted_at = {}, [], None
	stored.modified = now


def update(stored, values, entity, now, changed_at=None, again=()):
	"""The next version, if any value differs or was written `again`; returns the names of the fields that changed."""
	values = {**values, **{name: stored.values.get(name) for name in again}}
	before = {
		name: stored.values.get(name)
		for name, value in values.items()
		if name in again or not same(stored.values.get(name), value)
	}
	if not before:
		return []
	since = {name: stored.version_of(name) for name in before}
	stored.doc_version += 1
	stored.values = {**stored.values, **{name: values[name] for name in before}}
	stored.field_versions = {**stored.field_versions, **dict.fromkeys(before, stored.doc_version)}
	content = {name: value for name, value in before.items() if name not in entity.computed}
	if content:
		stored.content_version = stored.doc_version
		stored.history.append(Past(stored.doc_version, content, since, changed_at or now))
	stored.modified = now
	return list(before)


def delete(stored, now):
	"""The tombstone: one version more and no way back by an update."""
	stored.doc_version += 1
	stored.content_version = stored.doc_version
	stored.deleted_at = stored.modified = now


def touch_unknown(stored, entity, now):
	"""A change whose old values nobody knows: every field counts as changed, so that no stale edit slips through."""
	stored.doc_version += 1
	stored.content_version = stored.doc_version
	stored.field_versions = dict.fromkeys(entity.fields, stored.doc_version)
	stored.modified = now


def digest(values, entity):
	"""A hash of the synced values, by which a change that no hook saw is found."""
	parts = [_text(values.get(name), field) for name, field in entity.in_order]
	return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _text(value, field):
	if field.kind is kinds.ROWS:
		rows = [{k: v for k, v in row.items() if k != "name"} for row in value or []]
		return json.dumps(rows, default=str, sort_keys=True)
	if isinstance(value, strict_json.CONTAINERS):
		return json.dumps(value, sort_keys=True)
	return "" if value is None else str(value)


def set_computed(stored, values, entity, now):
	"""Set fields that the server computes: part of the version that this transaction makes, else one of their own."""
	if stored.doc_version == stored.loaded_version:
		return update(stored, values, entity, now)
	changed = [name for name, value in values.items() if not same(stored.values.get(name), value)]
	stored.values = {**stored.values, **{name: values[name] for name in changed}}
	if stored.doc_version > 1:
		stored.field_versions = {**stored.field_versions, **dict.fromkeys(changed, stored.doc_version)}
	return changed
