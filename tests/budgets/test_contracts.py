"""A budget that is used up is told in the shape of each contract, and the same request goes through later."""

import pytest

from tests.batch import app as farms
from tests.budgets.test_budgets import settings  # noqa: F401
from tests.family import app as families
from tests.mobile import app as fields


@pytest.fixture
def used_up(settings):  # noqa: F811
	"""Nobody may push more than one change."""
	settings(budget_items=1)
	return lambda: settings(budget_items=0)


def _mobile(server, site):
	app = fields.new_app(server, site, fields.new_tenant())
	return lambda: app.send(fields.meter(), fields.meter())


def _family(server, site):
	user = families.new_user()
	app = families.new_app(server, site, families.new_family(user), user)
	return lambda: app.send(families.task(), families.task())


def _batch(server, site):
	app = farms.new_app(server, site, farms.new_farm())
	return lambda: app.post(app.body([farms.observation(), farms.observation()]))


@pytest.mark.parametrize("send", [_mobile, _family, _batch])
def test_a_budget_that_is_used_up(server, site, used_up, send):
	send = send(server, site)
	response = send()
	assert response.status_code == 429 and int(response.headers["Retry-After"]) > 0, response.text
	said = response.json()
	inner = said["error"] if isinstance(said["error"], dict) else said
	assert (inner.get("code") or inner["error_code"], inner["retryable"]) == ("item_budget_used", True)
	used_up()
	assert send().status_code == 200
