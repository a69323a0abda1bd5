"""The base of a change: the values that its device had when it made the change. Pure.

A change names a version, base values, or both; a base value that is given counts more than the version. Changes that the same
device made since are part of its base.
"""

from dataclasses import replace
from typing import Any

from hisabi_sync.engine.model import fields as kinds
from hisabi_sync.engine.model.change import UPDATE, Change, Past, Stored
from hisabi_sync.engine.model.entity_type import EntityType
from hisabi_sync.engine.model.fields import Field
from hisabi_sync.engine.model.merge import ABSENT, same

UNKNOWN = object()  # a value that is no longer kept
MERGED = (kinds.ROWS, kinds.JSON)  # kinds whose stored value may be merged from the work of several devices


def steps(stored: Stored, name: str, version: int) -> list[Past | None]:
	"""The versions after `version` that changed the field, the newest first; None at the end if the history has a gap.

	It goes back step by step from the version of the present value, so that a gap is found.
	"""
	kept = {past.version: past for past in stored.history if name in past.before}
	since, found = stored.version_of(name), []
	while since > version:
		past = kept.get(since)
		found.append(past)
		if past is None:
			break
		since = past.since.get(name, 1)
	return found


def base_value(stored: Stored, name: str, version: int) -> object:
	"""The field's value at a version, or UNKNOWN if it is no longer kept."""
	return _before(stored, name, steps(stored, name, version))


def _before(stored: Stored, name: str, path: list[Past | None]) -> object:
	if not path:
		return stored.values.get(name)
	return UNKNOWN if path[-1] is None else path[-1].before[name]


def seen(change: Change, stored: Stored, field: Field) -> tuple[object, bool]:
	"""(value that the device had before its change or UNKNOWN, whether nobody else changed the field since)."""
	base_value = change.base.get(field.name, ABSENT)
	if base_value is ABSENT and change.base_version is None:
		return stored.values.get(field.name), True
	path = steps(stored, field.name, change.base_version or 0)
	if base_value is ABSENT:
		since, value = path, _before(stored, field.name, path)
	else:
		since, value = _since_value(path, base_value, stored, field), base_value
	return _own(change, stored, field, since, value)


def _since_value(path: list[Past | None], base_value: Any, stored: Stored, field: Field) -> list[Past | None]:
	"""The steps from the given value to the present one; the newest step and a gap if the value is not in the history."""
	if same(base_value, stored.values.get(field.name)):
		return []
	for count, past in enumerate(path, 1):
		if past and same(past.before[field.name], base_value):
			return path[:count]
	return [*path[:1], None]


def _own(
	change: Change, stored: Stored, field: Field, since: list[Past | None], value: object
) -> tuple[object, bool]:
	"""Move the base forward over the device's own changes.

	For lists and objects that ends at the first change of others, because the value may be merged.
	"""
	own = [is_own(change, past) for past in since]
	if field.kind in MERGED:
		left = next((n for n in range(len(own), 0, -1) if not own[n - 1]), 0)
	else:
		left = own.index(True) if True in own else len(own)
	if left == 0:
		return stored.values.get(field.name), True
	return (value if left == len(own) else _before(stored, field.name, since[:left])), False


def is_own(change: Change, past: Past | None) -> bool:
	"""Whether the device of the change made a version; False if one of the two has no device."""
	return past is not None and change.device is not None and past.device == change.device


def is_stale(change: Change, stored: Stored, entity: EntityType) -> bool:
	"""Whether somebody else changed content, not only computed fields, since what the change was made on."""
	if not change.base and not is_behind(change, stored):
		return False
	names = entity.fields.keys() if change.base_version is not None else change.base.keys()
	return any(not seen(change, stored, entity.fields[name])[1] for name in names - entity.computed)


def is_behind(change: Change, stored: Stored) -> bool:
	"""Whether the record has a later content than the change's version."""
	return change.base_version is not None and change.base_version < stored.content_version


def is_makers(change: Change, stored: Stored | None) -> bool:
	"""Whether a live record was made by the device that sends the change."""
	return stored is not None and stored.live and stored.maker is not None and stored.maker == change.device


def on_own_create(change: Change, stored: Stored) -> Change:
	"""A create as an edit of the record that the same device made before, based on that create."""
	return replace(change, operation=UPDATE, base_version=stored.began)
