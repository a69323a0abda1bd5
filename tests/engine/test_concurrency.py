"""Real processes on real connections: promises 1 and 2 while everybody writes at once."""

import pytest

from tests.engine import writers
from tests.engine.inside import Device, make_wallet, record_of, sequences
from tests.support.options import scale
from tests.support.phone import account, create, new_id, update

WRITERS = 8


@pytest.fixture
def seconds():
	return 6 if scale() == 1 else 60


@pytest.fixture
def shared(device):
	"""Accounts that all writers change: {client id: doc_version}."""
	items = [account() for _ in range(6)]
	device.push(*items)
	return {item["entity_id"]: 1 for item in items}


def load_of(user, wallet, shared, seconds):
	names = [record_of(wallet, "Hisabi Account", key).document_name for key in shared]
	people = [(writers.write, user, wallet, shared, seconds, seed) for seed in range(WRITERS - 1)]
	return [*people, (writers.edit_in_desk, names, seconds, 99)]


def test_a_reader_that_chases_the_tail_misses_nothing(site, user, wallet, shared, seconds):
	jobs = load_of(user, wallet, shared, seconds)
	*written, pulls = writers.in_processes(site, *jobs, (writers.chase, user, wallet, seconds, 7))
	committed = [change for part in written for change in part]
	print(len(committed), "changes,", len(pulls), "pulls", [len(p) for p in written])
	assert all(written)
	assert writers.missed(committed, pulls) == []
	numbers, counter = sequences(wallet)
	assert len(set(numbers)) == len(numbers) and numbers[-1] <= counter
	versions = [(key, version) for key, version, _ in committed]
	assert len(set(versions)) == len(versions)


def test_a_timestamp_cursor_misses_changes(site, user, wallet, shared, seconds):
	jobs = load_of(user, wallet, shared, seconds / 2)
	for _ in range(4):
		*written, pulls = writers.in_processes(site, *jobs, (writers.chase_by_time, wallet, seconds / 2))
		lost = writers.missed([change for part in written for change in part], pulls)
		print(len(lost), "of", sum(map(len, written)), "missed")
		if lost:
			return
	pytest.fail("The load is too light to show anything: no change was missed")


def together(site, user, wallet, first, second, devices=("one", "one")):
	"""Push pairs of batches at the same instant on two connections; [(answers of one, of the other)]."""
	barrier = writers.FORK.Barrier(2)
	jobs = [
		(writers.push_rounds, user, wallet, device, rounds, barrier)
		for device, rounds in zip(devices, (first, second), strict=True)
	]
	return list(zip(*writers.in_processes(site, *jobs), strict=True))


def test_the_same_op_twice_at_the_same_instant_is_applied_once(site, user, wallet):
	rounds = [[account(), account()] for _ in range(60)]
	for answers in together(site, user, wallet, rounds, rounds):
		flat = [answer for answer in answers]
		assert sorted(a[0][3] for a in flat) == [False, True]
		assert all(a[0][:3] == ("accepted", None, 1) for a in flat)


def test_the_same_update_twice_at_the_same_instant_is_applied_once(site, user, wallet, shared):
	key = next(iter(shared))
	rounds = [[update("Hisabi Account", key, n + 1, icon=f"i{n}")] for n in range(60)]
	for n, answers in enumerate(together(site, user, wallet, rounds, rounds)):
		assert sorted(a[0] for a in answers) == [
			("accepted", None, n + 2, False),
			("accepted", None, n + 2, True),
		]


def test_batches_that_lock_the_same_records_in_opposite_order_both_succeed(site, user, wallet, device):
	items = [[account() for _ in range(5)] for _ in range(40)]
	device.push(*(item for batch in items for item in batch))
	keys = [[item["entity_id"] for item in batch] for batch in items]
	forth = [[update("Hisabi Account", key, 1, icon="i") for key in batch] for batch in keys]
	back = [[update("Hisabi Account", key, 1, color="c") for key in reversed(batch)] for batch in keys]
	for answers in together(site, user, wallet, forth, back, ("one", "two")):
		assert {a[0] for batch in answers for a in batch} == {"accepted"}
	assert {record_of(wallet, "Hisabi Account", key).doc_version for batch in keys for key in batch} == {3}


def test_controllers_that_save_in_opposite_order_both_succeed(site, user, wallet, device):
	buckets = [create("Hisabi Bucket", title=title, bucket_name=title) for title in "ab"]
	rows = [{"bucket_id": bucket["entity_id"], "percentage": 30} for bucket in buckets]
	templates = [create("Hisabi Bucket Template", title="T", template_items=rows) for _ in range(4)]
	device.push(*buckets, *templates)
	keys = [template["entity_id"] for template in templates]
	forth = [[update("Hisabi Bucket Template", k, 1, title=f"t{n}") for k in keys] for n in range(1)]
	back = [[update("Hisabi Bucket Template", k, 1, is_default=1) for k in reversed(keys)]]
	for answers in together(site, user, wallet, forth, back, ("one", "two")):
		assert {a[0] for batch in answers for a in batch} == {"accepted"}


@pytest.mark.parametrize("kind", ["Hisabi Account", "Hisabi Bucket Template"])
def test_one_client_id_made_in_two_wallets_at_the_same_instant(site, user, wallet, kind):
	second, names = make_wallet(user), [new_id("same") for _ in range(20)]
	bucket = create("Hisabi Bucket", title="x", bucket_name="x")
	for place in (wallet, second):
		Device(user, place).push(bucket)
	row = {"bucket_id": bucket["entity_id"], "percentage": 30}
	given = {"title": "T", "template_items": [row]}
	if kind == "Hisabi Account":
		given = {"account_name": "A", "account_type": "cash", "currency": "SAR"}
	barrier = writers.FORK.Barrier(2)
	jobs = [
		(writers.push_rounds, user, place, new_id("d"), [[create(kind, n, **given)] for n in names], barrier)
		for place in (wallet, second)
	]
	for answers in writers.in_processes(site, *jobs):
		assert {answer[0] for batch in answers for answer in batch} == {"accepted"}
