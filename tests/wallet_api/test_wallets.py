"""Making wallets and filling them. Source: contracts/wallet.md, devices and wallets."""

from concurrent.futures import ThreadPoolExecutor

import frappe
import pytest

from hisabi_sync.hisabi_wallet.defaults import CATEGORIES
from tests.support.phone import delete, new_id, update
from tests.support.users import PASSWORD
from tests.wallet_api.people import membership, message, new_phone, new_user, refused, sign_in


@pytest.fixture
def phone(server, site, crowd):
	return new_phone(server, site, crowd["outsider"])


def wallet_create(phone, client_id, **extra):
	body = {"client_id": client_id, "wallet_name": "Trip", "device_id": phone.device_id, **extra}
	return phone.call("wallets.wallet_create", body)


def test_a_new_wallet_belongs_to_its_maker_and_a_repeat_finds_it(phone):
	phone.wallet_id = new_id("wallet")
	for created in (True, False):
		given = message(wallet_create(phone, phone.wallet_id))
		assert given["created"] is created
		wallet = given["wallet"]
		assert (wallet["wallet_id"], wallet["client_id"]) == (phone.wallet_id, phone.wallet_id)
		assert (wallet["role"], wallet["status"], wallet["wallet_name"]) == ("owner", "active", "Trip")
	assert membership(phone.wallet_id, phone.user) == ("owner", "active")
	phone.pull()
	payload = phone.replica["Hisabi Wallet", phone.wallet_id]["payload"]
	assert (payload["owner_user"], payload["created_from_device"]) == (phone.user, phone.device_id)


def test_ids_that_are_taken_are_neither_joined_nor_shown(house, phone):
	for taken in (house.id, house.id.upper()):
		body = refused(wallet_create(phone, taken), 403, "wallet_access_denied")
		assert set(body) == {"error", "error_code", "message", "retryable"}
	assert membership(house.id, phone.user) is None


def test_one_id_by_two_people_at_once_makes_one_wallet(house, phone):
	wanted, other = new_id("wallet"), house.phones["other"]
	with ThreadPoolExecutor(2) as pool:
		responses = list(pool.map(lambda p: wallet_create(p, wanted), [phone, other]))
	codes = sorted(response.status_code for response in responses)
	assert codes[0] == 200 and codes[1] in (403, 503), codes
	frappe.db.rollback()
	assert frappe.db.count("Hisabi Wallet Member", {"wallet_id": wanted}) == 1


@pytest.mark.parametrize("client_id", ["", "a b", "-x", "<b>", "x" * 141, None, 5])
def test_ids_that_are_none(phone, client_id):
	refused(wallet_create(phone, client_id), 417, "invalid_argument")


def test_two_first_logins_at_once_get_the_same_wallet(server, site):
	user = new_user(PASSWORD)
	with ThreadPoolExecutor(2) as pool:
		given = list(
			pool.map(lambda n: message(sign_in(server, site, user, PASSWORD, f"phone-{n}")), range(2))
		)
	assert len({answer["wallet_id"] for answer in given}) == 1


def defaults(phone, **extra):
	return message(phone.call("wallets.wallet_defaults", {"wallet_id": phone.wallet_id, **extra}))


@pytest.fixture
def fresh(phone):
	phone.wallet_id = new_id("wallet")
	message(wallet_create(phone, phone.wallet_id))
	return phone


@pytest.mark.parametrize(
	("language", "cash", "food"), [("en", "Cash", "Food"), ("ar-YE", "نقد", "طعام"), ("fr", "Cash", "Food")]
)
def test_defaults_in_the_language_asked_for(fresh, language, cash, food):
	given = defaults(fresh, language=language, currency="YER")
	assert given["created"] == len(given["results"]) == len(CATEGORIES) + 2
	fresh.pull()
	assert fresh.replica["Hisabi Account", "default-cash"]["payload"]["account_name"] == cash
	assert fresh.replica["Hisabi Account", "default-cash"]["payload"]["currency"] == "YER"
	assert fresh.replica["Hisabi Category", "default-category-food"]["payload"]["category_name"] == food
	assert fresh.replica["Hisabi Settings", "default-settings"]["payload"]["base_currency"] == "YER"


def test_defaults_come_once_and_stay_as_people_leave_them(fresh):
	defaults(fresh, language="en")
	fresh.push(
		update("Hisabi Account", "default-cash", 1, account_name="Pocket"),
		delete("Hisabi Category", "default-category-gift", 1),
	)
	again = defaults(fresh, language="ar")
	assert again["created"] == 0
	statuses = {row["client_id"]: row["status"] for row in again["results"]}
	assert statuses["default-category-gift"] == "deleted" and statuses["default-cash"] == "duplicate"
	fresh.pull()
	assert ("Hisabi Category", "default-category-gift") not in fresh.replica
	assert fresh.replica["Hisabi Account", "default-cash"]["payload"]["account_name"] == "Pocket"


def test_defaults_twice_at_once(fresh):
	with ThreadPoolExecutor(2) as pool:
		given = list(pool.map(lambda _: defaults(fresh, language="en"), range(2)))
	assert sum(answer["created"] for answer in given) == len(CATEGORIES) + 2


def test_every_default_has_both_names_and_an_id_of_its_own():
	assert len({row[0] for row in CATEGORIES}) == len(CATEGORIES)
	assert all(row[2] and row[3] and row[1] in ("income", "expense") for row in CATEGORIES)
