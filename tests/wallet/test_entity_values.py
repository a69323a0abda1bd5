"""Every field of every entity type refuses what is not a value of it, and says so in the contract's codes."""

import pytest

from tests.support.phone import create, delete, new_id, update
from tests.wallet.samples import PLAIN, TYPES, WALLET, WRONG, Samples, cases, fields_of, required_of
from tests.wallet.wire import assert_item_error

CHOICES = cases(("Select",))
LINKS = cases(("Link",))
REQUIRED = [(name, field) for name in PLAIN for field in TYPES[name]["required_on_create"]]
GROUPS = [(name, tuple(group)) for name in PLAIN for group in TYPES[name].get("one_of", [])]
TOO_LONG = cases(("Data",))


@pytest.fixture(scope="module")
def samples(shared):
	return Samples(shared)


@pytest.fixture(scope="module")
def held(samples):
	"""Client id of one live record of each entity type."""
	made = {}

	def of(entity_type):
		if entity_type not in made:
			made[entity_type] = samples.make(entity_type)
		return made[entity_type]

	return of


def refused(phone, samples, held, entity_type, error_code, detail, /, **values):
	"""A create and an update with the values are both refused with the code."""
	wrong_create = create(entity_type, **samples.smallest(entity_type, **values))
	wrong_update = update(entity_type, held(entity_type), 1, **values)
	for result in phone.push(wrong_create, wrong_update):
		assert_item_error(result, error_code)
		named = result["detail"]
		assert set(named) == set(detail), result
		for name in detail:
			assert name in result["error_message"]
	return named


@pytest.mark.parametrize(("entity_type", "name"), cases())
def test_a_value_of_a_wrong_type_is_refused_with_the_expected_type(shared, samples, held, entity_type, name):
	for wrong in WRONG[fields_of(entity_type)[name]["type"]]:
		named = refused(shared, samples, held, entity_type, "invalid_field_type", [name], **{name: wrong})
		assert isinstance(named, dict) and named[name]


@pytest.mark.parametrize(("entity_type", "name"), CHOICES)
def test_a_choice_that_the_table_does_not_have_is_refused(shared, samples, held, entity_type, name):
	for wrong in ("nonsense", fields_of(entity_type)[name]["choices"][0].upper()):
		refused(shared, samples, held, entity_type, "invalid_choice", [name], **{name: wrong})


@pytest.mark.parametrize(("entity_type", "name"), CHOICES)
def test_every_choice_of_the_table_is_accepted(shared, samples, entity_type, name):
	items = [
		create(entity_type, **samples.smallest(entity_type, **{name: choice}))
		for choice in fields_of(entity_type)[name]["choices"]
	]
	if "by_income_category" in fields_of(entity_type)[name]["choices"]:
		for item in items:
			item["payload"]["scope_ref"] = samples.target("Hisabi Category")
	assert [result["status"] for result in shared.push(*items)] == ["accepted"] * len(items)


@pytest.mark.parametrize(("entity_type", "name"), REQUIRED)
@pytest.mark.parametrize("empty", ["absent", None, ""])
def test_a_create_without_a_required_field_names_it(shared, samples, entity_type, name, empty):
	payload = samples.smallest(entity_type)
	del payload[name]
	if empty != "absent":
		payload[name] = empty
	(result,) = shared.push(create(entity_type, **payload))
	assert_item_error(result, "missing_required_fields", [name])
	assert name in result["error_message"]


@pytest.mark.parametrize("entity_type", [name for name in PLAIN if required_of(name)])
def test_a_create_with_an_empty_payload_names_every_required_field(shared, entity_type):
	(result,) = shared.push(create(entity_type))
	assert_item_error(result, "missing_required_fields")
	named = " ".join(result["detail"])
	assert [name for name in TYPES[entity_type]["required_on_create"] if name not in named] == []


@pytest.mark.parametrize(("entity_type", "name"), REQUIRED)
def test_an_update_cannot_empty_a_required_field(shared, held, entity_type, name):
	(result,) = shared.push(update(entity_type, held(entity_type), 1, **{name: None}))
	assert_item_error(result, "missing_required_fields", [name])


@pytest.mark.parametrize(("entity_type", "group"), GROUPS)
def test_a_create_needs_one_of_the_fields_of_a_group(shared, samples, entity_type, group):
	payload = {k: v for k, v in samples.smallest(entity_type).items() if k not in group}
	aliases = TYPES[entity_type].get("aliases", {})
	payload = {k: v for k, v in payload.items() if k not in [aliases.get(name) for name in group]}
	(result,) = shared.push(create(entity_type, **payload))
	assert_item_error(result, "missing_required_fields")
	assert any(name in " ".join(result["detail"]) for name in group)


@pytest.mark.parametrize(("entity_type", "name"), LINKS)
def test_a_link_to_a_record_that_is_not_there_is_refused(shared, samples, held, entity_type, name):
	refused(shared, samples, held, entity_type, "invalid_link", [name], **{name: new_id("nobody")})


@pytest.mark.parametrize(("entity_type", "name"), LINKS)
def test_a_link_to_a_deleted_record_is_refused(shared, samples, held, entity_type, name):
	gone = samples.make(fields_of(entity_type)[name]["to"])
	shared.push(delete(fields_of(entity_type)[name]["to"], gone, 1))
	refused(shared, samples, held, entity_type, "invalid_link", [name], **{name: gone})


@pytest.mark.parametrize(("entity_type", "name"), LINKS)
def test_a_link_into_another_wallet_is_refused_like_one_to_nothing(
	shared, stranger, samples, held, entity_type, name
):
	target = fields_of(entity_type)[name]["to"]
	theirs = Samples(stranger).make(target) if target != WALLET else stranger.wallet_id
	refused(shared, samples, held, entity_type, "invalid_link", [name], **{name: theirs})


@pytest.mark.parametrize(("entity_type", "name"), LINKS)
def test_a_link_is_compared_exactly(shared, samples, held, entity_type, name):
	other_case = samples.target(fields_of(entity_type)[name]["to"]).upper()
	refused(shared, samples, held, entity_type, "invalid_link", [name], **{name: other_case})


@pytest.mark.parametrize(("entity_type", "name"), LINKS)
def test_a_link_to_a_record_of_the_same_batch_works_in_any_order(shared, samples, entity_type, name):
	target, client_id = fields_of(entity_type)[name]["to"], new_id()
	user = create(entity_type, **samples.smallest(entity_type, **{name: client_id}))
	results = shared.push(user, create(target, client_id, **samples.smallest(target)))
	assert [result["status"] for result in results] == ["accepted", "accepted"], results


@pytest.mark.parametrize(("entity_type", "name"), TOO_LONG)
def test_a_text_that_does_not_fit_is_refused_and_never_cut(shared, samples, held, entity_type, name):
	refused(shared, samples, held, entity_type, "invalid_value", [name], **{name: "x" * 141})


@pytest.mark.parametrize(("entity_type", "name"), cases(("Date", "Datetime")))
@pytest.mark.parametrize("wrong", ["soon", "2026-02-30", "2026-13-01T00:00:00Z", "99999-01-01"])
def test_a_date_that_does_not_exist_is_refused(shared, samples, held, entity_type, name, wrong):
	refused(shared, samples, held, entity_type, "invalid_value", [name], **{name: wrong})


@pytest.mark.parametrize(("entity_type", "name"), cases(("Int", "Currency", "Float", "Percent")))
def test_a_number_that_the_database_cannot_hold_is_refused(shared, samples, held, entity_type, name):
	for wrong in (10**30, -(10**30)):
		refused(shared, samples, held, entity_type, "invalid_value", [name], **{name: wrong})


@pytest.mark.parametrize("entity_type", PLAIN)
def test_an_unknown_field_is_refused_by_name(shared, samples, held, entity_type):
	refused(shared, samples, held, entity_type, "invalid_field", ["nonsense"], nonsense=1)
