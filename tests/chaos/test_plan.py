"""The plan follows from the seed, and the history of a violation has what concerns it and nothing else. Pure."""

from collections import Counter

import pytest

from chaos import conduct, history, plan
from chaos.journal import Journal, Said, Write
from chaos.violations import Violation
from tests.chaos.stories import CASH, FOOD, Story, quiet

NAMES = {f"fault {n}": None for n in range(5)}
PACE = {"faults": 2.0, "chores": 0.5}


def made(seed, devices=200, seconds=300):
	return plan.make(seed, seconds, devices, NAMES, NAMES, PACE)


def test_a_seed_makes_one_plan():
	assert made(5) == made(5)
	assert made(5).lives != made(6).lives and made(5).faults != made(6).faults


@pytest.mark.parametrize("devices", [1, 20, 72, 500])
def test_a_plan_has_so_many_devices_each_in_a_space_of_its_person(devices):
	given = made(1, devices)
	assert [life.number for life in given.lives] == list(range(devices))
	assert all(life.person in life.space.people for life in given.lives)
	assert len({space.key for space in given.spaces}) == len(given.spaces)


def test_every_fault_comes_up_as_often_as_any_other_and_in_time():
	faults = made(3).faults
	counts = Counter(event.name for event in faults)
	assert set(counts) == set(NAMES) and max(counts.values()) - min(counts.values()) <= 1
	times = [event.at for event in faults]
	assert times == sorted(times) and times[-1] < 300 and len(faults) > 100


def test_a_history_is_that_of_the_record_and_tells_the_faults(tmp_path):
	journal, story = Journal(tmp_path), quiet()
	story.op("op-9", CASH)
	story.ops["op-1"].lost.append((1.5, "answer lost"))
	story.ops["op-2"].said.append(Said(3.0, "accepted", 2, repeated=True, seen=False))
	journal.ops = story.ops
	journal.writes.append(Write("w", FOOD, {"icon": "x"}, "the Desk", 4.0))
	journal.faults = [["MariaDB killed", 1.4, 1.6], ["Redis killed", 3.5, None]]
	told = history.lines(Violation("kept", "", "w", (FOOD,)), journal)
	assert not any("op-9" in line for line in told)
	assert [line.split()[0] for line in told] == sorted(line.split()[0] for line in told)
	(lost,) = [line for line in told if "lost" in line]
	assert lost.endswith("[MariaDB killed]")
	assert any("again (the device does not see it)" in line for line in told)
	assert told[-1].endswith("the Desk writes {'icon': 'x'}   [Redis killed]")


def test_a_history_ends_where_the_violation_was_noticed_and_tells_repeats_in_a_line(tmp_path):
	journal, story = Journal(tmp_path), Story()
	op = story.op("op-1", FOOD, color="red")
	op.sent = [1.0, 2.0, 3.0, 4.0, 6.0, 9.0]
	op.lost = [(1.1, "answer lost"), (2.1, "hung up"), (3.1, "hung up"), (6.1, "hung up"), (9.1, "hung up")]
	op.said = [Said(5.0, "accepted", 1), Said(9.5, "accepted", 1, repeated=True)]
	journal.ops = story.ops
	told = history.lines(Violation("kept", "", "w", (FOOD,), at=8.0), journal)
	assert [line.split("op-1 ")[1] for line in told[1:]] == [
		"lost 3 times until 3.100 s: answer lost (1), hung up (2)",
		"is sent again 3 times until 4.000 s",
		"is answered: accepted version 1",
		"is sent again",
		"lost: hung up",
	]


def test_times_in_which_somebody_is_certainly_out():
	changes = [
		(1, "out", False),
		(2, "out", True),
		(3, "reads", False),
		(4, "reads", False),
		(5, "out", False),
	]
	assert sorted(conduct.intervals(changes)) == [
		("out", 1, 2),
		("out", 5, float("inf")),
		("reads", 3, float("inf")),
	]
