"""The DocTypes, and every entity type over the wire, against the contract's table."""

import pytest

from tests.support.phone import create, delete, new_id, update
from tests.wallet.samples import PLAIN, TABLE, TYPES, Samples, fields_of, meta_of, meta_type
from tests.wallet.wire import PULLED, assert_accepted, payload_of, record_of

ALL_FIELDS = [(name, field["name"]) for name in TYPES for field in TYPES[name]["fields"]]
FIELD = {(name, field["name"]): field for name in TYPES for field in TYPES[name]["fields"]}
ALIASES = [(name, alias, field) for name in TYPES for alias, field in TYPES[name].get("aliases", {}).items()]
THIRD = {"Data": "third", "Currency": 77.25, "Float": 7.25, "Int": 5, "Date": "2026-03-31"}
MONEY = "Hisabi Transaction"
COMPUTED = [(name, field) for name in TYPES for field in TYPES[name].get("computed_by_server", [])]


@pytest.fixture(scope="module")
def samples(shared):
	return Samples(shared)


@pytest.mark.parametrize(("entity_type", "name"), ALL_FIELDS)
def test_the_doctype_has_the_field_as_the_table_says(entity_type, name):
	field, df = FIELD[entity_type, name], meta_of(entity_type).get(name)
	assert df, f"{entity_type} has no field {name}"
	assert meta_type(df) == field["type"]
	if field["type"] == "Select":
		assert [choice for choice in df.options.split("\n") if choice] == field["choices"]
	if "to" in field:
		assert df.options == field["to"]
	if "default" in field:
		assert str(df.default) == field["default"]


@pytest.mark.parametrize("entity_type", TYPES)
def test_the_doctype_has_the_common_fields(entity_type):
	meta = meta_of(entity_type)
	missing = [f["name"] for f in TABLE["common_fields"] if f["name"] not in meta]
	assert [name for name in missing if (entity_type, name) != ("Hisabi Wallet", "wallet_id")] == []


@pytest.mark.parametrize("child", TABLE["child_tables"])
def test_the_child_table_has_the_fields_of_the_table(child):
	meta = meta_of(child)
	for field in TABLE["child_tables"][child]:
		df = meta[field["name"]]
		assert (df.fieldtype, bool(df.reqd)) == (field["type"], field.get("required", False))
		assert df.options == field.get("to")


@pytest.mark.parametrize("entity_type", PLAIN)
def test_a_record_of_the_required_fields_alone_is_accepted_and_pulled(shared, samples, entity_type):
	client_id, payload = new_id(), samples.smallest(entity_type)
	(result,) = shared.push(create(entity_type, client_id, **payload))
	assert_accepted(result, 1)
	item = record_of(shared, entity_type, client_id)
	assert set(item) == PULLED
	assert (item["entity_type"], item["entity_id"], item["doc_version"]) == (entity_type, client_id, 1)
	assert (item["is_deleted"], item["deleted_at"]) == (False, None)
	assert item["payload"]["client_id"] == client_id
	assert item["payload"]["wallet_id"] == shared.wallet_id
	assert {k: _plain(item["payload"][k]) for k in payload} == payload


@pytest.mark.parametrize("entity_type", PLAIN)
def test_defaults_of_the_table_fill_what_a_create_leaves_out(shared, samples, entity_type):
	payload = samples.smallest(entity_type)
	client_id = new_id()
	shared.push(create(entity_type, client_id, **payload))
	held = payload_of(shared, entity_type, client_id)
	expected = {
		f["name"]: f["default"]
		for f in TYPES[entity_type]["fields"]
		if "default" in f and f["name"] not in payload
	}
	assert {name: str(held[name]) for name in expected} == expected


@pytest.mark.parametrize("entity_type", PLAIN)
def test_every_field_comes_back_as_it_was_pushed(shared, samples, entity_type):
	client_id = new_id()
	times = {"client_created_ms": 1767225600123, "client_modified_ms": 1767225600456}
	payload = samples.full(entity_type, **times)
	(result,) = shared.push(create(entity_type, client_id, **payload))
	assert_accepted(result, 1)
	held = payload_of(shared, entity_type, client_id)
	assert {k: _plain(held[k]) for k in payload} == payload


@pytest.mark.parametrize("entity_type", PLAIN)
def test_every_field_can_be_updated_at_once(shared, samples, entity_type):
	client_id = new_id()
	shared.push(create(entity_type, client_id, **samples.full(entity_type)))
	changed = samples.full(entity_type, 1)
	(result,) = shared.push(update(entity_type, client_id, 1, **changed))
	assert_accepted(result, 2)
	item = record_of(shared, entity_type, client_id)
	assert item["doc_version"] == 2
	assert {k: _plain(item["payload"][k]) for k in changed} == changed


@pytest.mark.parametrize("entity_type", PLAIN)
def test_an_update_of_one_field_leaves_the_others(shared, samples, entity_type):
	client_id, name = new_id(), _free_fields(entity_type)[0]
	full = samples.full(entity_type)
	shared.push(create(entity_type, client_id, **full))
	value = samples.value(entity_type, name, 1)
	(result,) = shared.push(update(entity_type, client_id, 1, **{name: value}))
	assert_accepted(result, 2)
	held = payload_of(shared, entity_type, client_id)
	assert {k: _plain(held[k]) for k in full} == {**full, name: value}


@pytest.mark.parametrize("entity_type", PLAIN)
def test_two_stale_edits_of_one_field_are_a_conflict(shared, sibling, samples, entity_type):
	client_id, name = new_id(), _contested(entity_type)
	shared.push(create(entity_type, client_id, **samples.full(entity_type)))
	first, second = samples.value(entity_type, name, 1), _third(samples, entity_type, name)
	shared.push(update(entity_type, client_id, 1, **{name: first}))
	(result,) = sibling.push(update(entity_type, client_id, 1, **{name: second}))
	assert (result["status"], result["conflict_fields"]) == ("conflict", [name]), result
	assert result["server_record"][name] == first
	assert payload_of(shared, entity_type, client_id)[name] == first


@pytest.mark.parametrize(
	"entity_type", [name for name in PLAIN if len(TYPES[name]["fields"]) > 2 or name.endswith("Request")]
)
def test_stale_edits_of_different_fields_merge(shared, sibling, samples, entity_type):
	client_id = new_id()
	one, other = _free_fields(entity_type)[:2]
	shared.push(create(entity_type, client_id, **samples.full(entity_type)))
	values = {name: samples.value(entity_type, name, 1) for name in (one, other)}
	shared.push(update(entity_type, client_id, 1, **{one: values[one]}))
	(result,) = sibling.push(update(entity_type, client_id, 1, **{other: values[other]}))
	assert_accepted(result, 3)
	assert result["merged"] is True
	assert {name: _plain(result["server_record"][name]) for name in values} == values
	held = payload_of(shared, entity_type, client_id)
	assert {name: _plain(held[name]) for name in values} == values


@pytest.mark.parametrize("entity_type", PLAIN)
def test_a_deleted_record_is_pulled_as_a_tombstone(shared, samples, entity_type):
	client_id = samples.make(entity_type)
	shared.pull()
	(result,) = shared.push(delete(entity_type, client_id, 1))
	assert_accepted(result, 2)
	*others, item = sorted(shared.pull(), key=lambda i: i["client_id"] == client_id)
	# What the server computes from transactions, balances for one, comes too.
	assert {i["entity_type"] for i in others} <= (set(dict(COMPUTED)) if entity_type == MONEY else set())
	assert set(item) == PULLED
	assert (item["entity_type"], item["client_id"], item["doc_version"]) == (entity_type, client_id, 2)
	assert item["is_deleted"] is True and item["deleted_at"]


@pytest.mark.parametrize(("entity_type", "alias", "name"), ALIASES)
def test_the_alias_is_accepted_in_place_of_the_field(shared, samples, entity_type, alias, name):
	client_id = new_id()
	payload = samples.smallest(entity_type)
	payload.pop(name, None)
	value = samples.value(entity_type, name)
	if alias in fields_of(entity_type):
		payload.pop(alias, None)
	(result,) = shared.push(create(entity_type, client_id, **payload, **{alias: value}))
	assert_accepted(result, 1)
	assert alias not in result.get("warnings", [])
	assert _plain(payload_of(shared, entity_type, client_id)[name]) == value


@pytest.mark.parametrize(("entity_type", "name"), COMPUTED)
def test_a_computed_field_is_never_taken_from_a_device(shared, samples, entity_type, name):
	client_id = new_id()
	value = "closed" if name == "status" else 987654
	(result,) = shared.push(create(entity_type, client_id, **samples.smallest(entity_type), **{name: value}))
	assert_accepted(result, 1)
	assert result["warnings"] == [name]
	assert payload_of(shared, entity_type, client_id)[name] != value


def _plain(value):
	"""Rows without the names that the server gives them."""
	if isinstance(value, list) and value and isinstance(value[0], dict):
		return [{k: v for k, v in row.items() if k != "name"} for row in value]
	return value


def _free_fields(entity_type):
	"""Fields whose values differ between the two samples and need no target, the simplest first."""
	fields = fields_of(entity_type)
	plain = [name for name, f in fields.items() if f["type"] not in ("Link", "Table")]
	return plain + [name for name in fields if name not in plain]


def _contested(entity_type):
	"""A field for which `_third` has another value."""
	fields = fields_of(entity_type)
	usable = [name for name, f in fields.items() if f["type"] in THIRD]
	chosen = [name for name in usable if name not in ("currency", "base_currency")] or usable or list(fields)
	return chosen[0]


def _third(samples, entity_type, name):
	field = fields_of(entity_type)[name]
	return samples.target(field["to"], "third") if "to" in field else THIRD[field["type"]]
