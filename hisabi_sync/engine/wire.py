"""Links and payloads: client ids on the wire, document names in the database."""

from hisabi_sync.engine import ids, load, sql
from hisabi_sync.engine.errors import ItemError


def linked_records(change, entity, registry, space):
	"""Names of the Sync Records that a change points to."""
	found = set()
	for holder, field, _ in links(change.values, entity):
		target = _target(field, entity, registry)
		if target:
			found.add(ids.record(space, target.name, holder[field.name]))
	return found


def _target(field, entity, registry):
	target = registry.by_doctype.get(field.options) if field.fieldtype == "Link" else None
	return target if target and target.space_type == entity.space_type else None


def foreign_names(changes, registry):
	"""Links to DocTypes that are not synced: {DocType: {folded name: name}}, one statement for each DocType."""
	wanted = {}
	for change in changes:
		entity = registry.by_name[change.entity_type]
		for holder, field, _ in links(change.values, entity):
			if not _target(field, entity, registry):
				wanted.setdefault(field.options, set()).add(holder[field.name])
	return {doctype: _names(doctype, values) for doctype, values in wanted.items()}


def _names(doctype, values):
	if doctype == "User":
		# Who has an account is nobody's business: names are taken as given, without the database's idea of equal letters.
		return {value.lower(): value.lower() for value in values if value.isascii()}
	rows = sql.select_in(doctype, ["name"], "name", sorted(values))
	return {str(row[0]).lower(): str(row[0]) for row in rows}


def resolve_links(change, entity, registry, space, stored, foreign):
	"""Replace client ids in the change by document names. Raises ItemError invalid_link with the fields."""
	wrong = []
	for holder, field, path in links(change.values, entity):
		name = _resolve(field, holder[field.name], entity, registry, space, stored, foreign)
		if name is not None and _is_self(change, field, entity, stored, name):
			name = None
		holder[field.name] = name
		if name is None:
			wrong.append(path)
	if wrong:
		raise ItemError("invalid_link", wrong)


def _is_self(change, field, entity, stored, name):
	"""A record that points to itself, such as an account that is its own parent."""
	own = stored.get(change.record)
	return field.options == entity.doctype and own is not None and own.document_name == name


def links(values, entity):
	"""(holder, field, path) of every link that has a value; the holder is the dict that the value lies in."""
	for name in entity.links:
		if isinstance(values.get(name), str):
			yield values, entity.fields[name], name
	for table in entity.tables:
		for row in values.get(table.name) or []:
			for column in table.columns:
				if column.fieldtype == "Link" and isinstance(row.get(column.name), str):
					yield row, column, f"{table.name}.{column.name}"


def _resolve(field, value, entity, registry, space, stored, foreign):
	target = _target(field, entity, registry)
	if target is None:
		return foreign.get(field.options, {}).get(value.lower())
	record = stored.get(ids.record(space, target.name, value))
	return record.document_name if record and record.live else None


def show(shown, space, registry):
	"""Put the wire form of the record into each outcome of {id: (outcome, stored, entity)}; one statement."""
	names = client_ids([(entity, stored.values) for _, stored, entity in shown.values()], space, registry)
	for outcome, stored, entity in shown.values():
		outcome.record = payload(entity, stored.values, names, registry)


def client_ids(pairs, space, registry):
	"""{(DocType, document name): client id} for the links of [(entity type, values)]."""
	linked = {
		(field.options, holder[field.name])
		for entity, values in pairs
		for holder, field, _ in links(values, entity)
		if _target(field, entity, registry)
	}
	return load.link_names(space, linked) if linked else {}


def payload(entity, values, names, registry):
	"""What a device gets of a record: readable fields, links as client ids."""
	dumped = {}
	for name, field in entity.readable.items():
		if name not in values:
			continue  # a field that this caller may not read
		value = values[name]
		if value is None:
			dumped[name] = None
			continue
		if field.fieldtype == "Link" and _target(field, entity, registry):
			value = names.get((field.options, value))
		elif field.columns and value:
			value = [_row(row, field, entity, names, registry) for row in value]
		dumped[name] = field.dump(value)
	return dumped


def _row(row, table, entity, names, registry):
	linked = {
		column.name: names.get((column.options, row.get(column.name)))
		for column in table.columns
		if _target(column, entity, registry) and row.get(column.name)
	}
	return {**row, **linked}
