"""Runs that send documents to a service of JSON over HTTP."""

from tests.runs import world


def test_a_full_run_sends_every_order_once(operator, service, connection):
	world.make_orders(operator.tenant, 3)
	done = operator.run(mode="full")
	assert done["status"] == "completed", done
	assert (done["total_records"], done["records_created"], done["records_failed"]) == (3, 3, 0)
	world.assert_equal_sides(operator.tenant, service)
