"""What a call costs in SQL statements depends on neither how much it brings nor how much the farm holds."""

import frappe
import pytest

from benchmarks.count_statements import Counted
from hisabi_sync.api.batch import exchange as batch_exchange
from hisabi_sync.api.batch import items as batch_items
from hisabi_sync.api.batch import results as batch_results
from hisabi_sync.api.batch.models import Upserts
from hisabi_sync.engine.identity import devices
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.store import calls
from tests.batch.app import observation, recommendation
from tests.support.phone import new_id


@pytest.fixture
def exchange(app):
	"""Exchange records inside this process; the exchange, and the statements that it took."""
	app.sync()

	def run(observations=(), recommendations=()):
		frappe.set_user("Administrator")
		caller = Caller(app.user, app.space, app.device, "farm", app.farm)
		upserts = Upserts(observations=list(observations), recommendations=list(recommendations))
		sync_id = new_id("sync")
		changes = batch_items.read(upserts, sync_id, None, devices.load_by_name(app.device))
		done = batch_exchange.Exchange(
			caller,
			calls.Call(app.device, sync_id, None, sync_id, "batch"),
			changes,
			app.cursor,
			500,
			({}, None),
		)
		with Counted() as seen:
			done.run(batch_results.answer)
		app.cursor = done.payload["serverCursor"]
		assert done.payload["conflicts"] == []
		return len(seen)

	return run


def advice(count, obs):
	return [recommendation(observationId=obs["observationId"], recommendation="Spray") for _ in range(count)]


def test_more_new_records_take_no_more_statements(exchange):
	few = [observation(notes="n") for _ in range(2)]
	exchange(few, advice(1, few[0]))
	many = [observation(notes="n") for _ in range(60)]
	few = [observation(notes="n") for _ in range(2)]
	assert exchange(many, advice(40, many[0])) == exchange(few, advice(1, few[0]))


def test_more_edits_and_corrections_take_no_more_statements(exchange):
	def edits(count):
		made = [observation(notes="n", status="confirmed") for _ in range(count)]
		drafts = [observation(notes="n") for _ in range(count)]
		exchange([*made, *drafts])
		fixes = [observation(correctionOf=obs["observationId"], correctionReason="Typo") for obs in made]
		return [*fixes, *({**obs, "notes": "m"} for obs in drafts)]

	few, many = edits(2), edits(30)
	exchange(edits(1))
	assert exchange(many) == exchange(few)
