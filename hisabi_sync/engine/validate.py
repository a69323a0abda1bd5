"""From a payload to canonical values. Pure but for translated words; source: the item errors of the contracts."""

import json

from hisabi_sync.engine.change import CREATE, DELETE
from hisabi_sync.engine.entity_type import SENSITIVE
from hisabi_sync.engine.errors import ItemError

MAX_NAME, MAX_NAMES = 140, 50  # of what an error repeats of what it was sent
EMPTY = (None, "", [])
ENCODER = json.JSONEncoder(ensure_ascii=False)


def check_size(payload, entity):
	"""Raise ItemError payload_too_large for a payload that is longer than the entity type allows."""
	size = len(ENCODER.encode(payload).encode("utf-8", "replace"))
	if size > entity.max_payload:
		raise ItemError("payload_too_large", {"bytes": size, "limit": entity.max_payload})


def parse(change, entity):
	"""Fill `change.values` (what the device may set) and `change.warnings`; return values only the server sets.

	Raises ItemError: sensitive_field_not_allowed, invalid_field, invalid_field_type, invalid_choice, invalid_value,
	missing_required_fields.
	"""
	if change.operation == DELETE:
		return {}
	named, server, unknown = _name_fields(change, entity)
	_refuse("invalid_field", unknown)
	parsed = _parse_values(named, entity)
	_check_required(change, entity, named)
	change.values = parsed
	return server


def _name_fields(change, entity):
	named, server, unknown, sensitive = {}, {}, [], []
	for key, value in change.payload.items():
		name = key if key in entity.fields else entity.aliases.get(key)
		if name is not None:
			target = named if entity.fields[name].writable else server
			if target.get(name, value) != value:
				raise ItemError("invalid_value", [key, name])
			target[name] = value
		elif key in SENSITIVE:
			sensitive.append(key)
		elif key in entity.client_only:
			change.warnings.append(key)
		elif key in entity.stamps:
			server[key] = value
		else:
			unknown.append(key)
	_refuse("sensitive_field_not_allowed", sensitive)
	return named, server, unknown


def _refuse(code, names):
	if names:
		raise ItemError(code, [name[:MAX_NAME] for name in names[:MAX_NAMES]])


def _parse_values(named, entity):
	parsed, wrong = {}, {}
	for name, value in named.items():
		try:
			parsed[name] = entity.fields[name].parse(value)
		except ItemError as error:
			wrong.setdefault(error.code, []).append(error.detail)
	for code, details in wrong.items():
		raise ItemError(code, _join(details))
	return parsed


def _join(details):
	if isinstance(details[0], dict):
		return {name: expected for detail in details for name, expected in detail.items()}
	return [name for detail in details for name in detail]


def _check_required(change, entity, named):
	if change.operation == CREATE:
		missing = [name for name in entity.required if named.get(name) in EMPTY]
		missing += [list(group) for group in entity.one_of if all(named.get(name) in EMPTY for name in group)]
	else:
		missing = [name for name in entity.required if name in named and named[name] in EMPTY]
	_refuse("missing_required_fields", ["/".join(m) if isinstance(m, list) else m for m in missing])


def check_server_values(server, stored, entity, known):
	"""Refuse values that only the server sets unless they are what the server has or would set itself.

	`known` holds the engine's own columns and the caller.
	"""
	differing = []
	for name, value in server.items():
		field = entity.fields.get(name)
		if field is None or name in known:
			differs = value not in (None, "", 0, False) and value != known.get(name)
		else:
			held = _held(field, stored, known)
			differs = _differs(field, value, held)
		if differs:
			differing.append(name)
	_refuse("server_field_not_allowed", differing)


def _held(field, stored, known):
	if stored and stored.exists:
		return stored.values.get(field.name)
	return known["user"] if field.options == "User" else field.load(field.default)


def _differs(field, value, held):
	try:
		return field.parse(value) != held
	except ItemError:
		return True
