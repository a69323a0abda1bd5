"""Who calls: a device of somebody with a wallet, a tenant and the conflict centre's roles, and nobody."""

import pytest

from hisabi_sync.api.protocol.scopes import RIGHTS
from tests.conflicts.conftest import make_person
from tests.mobile.app import new_app, new_tenant
from tests.wallet_api.people import new_wallet


@pytest.fixture(scope="module")
def callers(server, site):
	user = make_person("Sync Manager", "Hisabi User")
	app = new_app(server, site, new_tenant(), user=user, scopes=RIGHTS)
	app.wallet_id = new_wallet(user)
	return {"a device": app, "a guest": None}
