"""Names that come from outside and look like SQL, paths or operators are names that nobody knows, and nothing else."""

import pytest

from tests.support.phone import account, new_id, update
from tests.walls.calls import answer, call

NAMES = (
	"x' OR '1'='1",
	"Hisabi Account' UNION SELECT name, password FROM __Auth -- ",
	"`tabUser`",
	"account_name` = (SELECT 1), `color",
	"User",
	"../../etc/passwd",
	"%",
	"\u2019; --",
)


@pytest.fixture
def owner(people, world):
	"""The owner's phone in his wallet."""
	phone = people["owner"]
	phone.wallet_id = world.ids["wallet"]
	return phone


@pytest.mark.parametrize("name", NAMES)
def test_entity_types(owner, untouched, name):
	given = {"device_id": owner.device_id, "wallet_id": owner.wallet_id}
	refused = (417, "unsupported_entity_type")
	assert answer(call(owner, "sync.sync_pull", {**given, "entity_types": [name]})) == refused
	refused = (400, "unsupported_entity_type")
	assert answer(call(owner, "mobile.pull", {"resource_types": [name]})) == refused


@pytest.mark.parametrize("name", NAMES)
def test_entity_types_and_fields_of_items(owner, world, name):
	strange = {**account(), "entity_type": name}
	assert answer(owner.send([strange], dry_run=True)) == (417, "unsupported_entity_type")
	(result,) = owner.push(update("Hisabi Account", world.ids["record"], 2, **{name: "x"}), dry_run=True)
	assert (result["status"], result["error_code"]) == ("error", "invalid_field")


LISTS = {
	"conflicts.list_conflicts": (
		"entity_type",
		"record",
		"client_id",
		"space",
		"device",
		"user",
		"resolved_by",
	),
	"failed_items.list_items": ("entity_type", "error_code", "space", "device", "user", "batch", "client_id"),
}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("method", LISTS)
def test_filters_of_lists(people, method):
	def rows(given):
		message = call(people["manager"], method, given).json()["message"]
		return next(value for value in message.values() if isinstance(value, list))

	assert rows({})
	for column in LISTS[method]:
		for name in (*NAMES[:4], *NAMES[5:], ["like", "%"], ["!=", "x"], ["is", "set"]):
			# A filter that is taken for what it is may find a row that is called so.
			called = name if isinstance(name, list) else [name]
			assert all(row[column] in called for row in rows({column: name})), (column, name)


@pytest.mark.parametrize("name", NAMES)
def test_fields_of_rules(people, world, untouched, name):
	given = {"conflict_id": world.ids["conflict"], "field": name, "rule": "server"}
	for method in ("rules.preview", "rules.save"):
		assert answer(call(people["manager"], method, given)) == (417, "invalid_argument")


@pytest.mark.parametrize(
	"key", ["../../../etc/passwd", "..%2f..%2fsite_config.json", "/etc/passwd", "0" * 31 + "/", "a" * 32]
)
def test_keys_of_media(people, world, untouched, key):
	"""A key that is no key leads nowhere; one that nobody has is answered like that of somebody else."""
	tenant = {"tenant_id": world.ids["tenant"], "key": key}
	for who in ("owner", "stranger"):
		status, code = answer(call(people[who], "mobile.download", tenant))
		assert (status, code) in ((403, "space_access_denied"), (400, "invalid_argument"))
		status, code = answer(call(people[who], "media.download_url", {"key": key}))
		assert (status, code) in ((403, "wallet_access_denied"), (417, "invalid_argument"))
	status, code = answer(call(people["manager"], "media.view", {"key": key}))
	assert (status, code) in ((404, "not_found"), (417, "invalid_argument"))


def test_ids_of_clients_are_kept_letter_by_letter(owner):
	"""An id that is refused is refused by its characters, not by what a database makes of them."""
	for name in NAMES:
		item = account(name)
		(first,) = owner.push(item)
		if first["status"] == "error":
			assert first["error_code"] == "invalid_client_id"
		else:
			assert first["client_id"] == name
	assert owner.push(account(new_id("account")))[0]["status"] == "accepted"
