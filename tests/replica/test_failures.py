"""A replica that is away, stuck, or unlike the primary: the primary answers, and nobody waits twice."""

import os
import signal
import subprocess
import sys

import pytest

from hisabi_sync.engine import replica
from hisabi_sync.engine.model import ids
from tests.replica.world import answers_again, asked, first_pull

ACCOUNTS = "`tabHisabi Account`"


def test_pulls_go_on_while_the_replica_is_down(wallet, pair, complaints):
	pair.replica.stop(signal.SIGKILL)
	for _ in range(5):
		assert wallet.key in first_pull(wallet)
	assert 1 <= len(complaints()) < 5
	pair.follow()
	assert answers_again(pair, wallet)


def test_one_pull_waits_for_a_replica_that_hangs_and_the_others_do_not(wallet, pair, complaints):
	pair.replica.send(signal.SIGSTOP)
	try:
		for _ in range(3):
			assert wallet.key in first_pull(wallet)
		assert len(complaints()) == 1, complaints()
	finally:
		pair.replica.send(signal.SIGCONT)
	assert answers_again(pair, wallet)


def test_a_page_that_breaks_off_on_the_replica_is_read_on_the_primary(wallet, pair, complaints):
	assert answers_again(pair, wallet)
	pair.replica.ask(f"USE `{pair.name}`", f"RENAME TABLE {ACCOUNTS} TO `tabAway`")
	try:
		read, servers = asked(pair, lambda: first_pull(wallet))
		assert wallet.key in read and servers == ["primary", "replica"]
	finally:
		pair.replica.ask(f"USE `{pair.name}`", f"RENAME TABLE `tabAway` TO {ACCOUNTS}")
	assert len(complaints()) == 1
	assert answers_again(pair, wallet)


SPACE = "`tabSync Space` SET {} WHERE name = '{}'"
DIFFERENCES = {
	"tombstones were collected": "horizon = horizon + 1",
	"it is on another time line": "sequence = sequence + 1",
	"it does not know the space": "name = CONCAT('x', name)",
}


# These three spaces stay apart for good, because nothing is written to them any more.
@pytest.mark.parametrize("difference", DIFFERENCES)
def test_a_replica_with_another_state_is_not_believed(wallet, pair, difference):
	assert answers_again(pair, wallet)
	change = SPACE.format(DIFFERENCES[difference], ids.space("wallet", wallet.wallet))
	pair.replica.ask(f"USE `{pair.name}`", f"UPDATE {change}")
	read, servers = asked(pair, lambda: first_pull(wallet))
	assert wallet.key in read and servers == ["primary"]


def test_a_replica_with_other_entity_types_is_not_believed(wallet, pair):
	"""Records are sent anew when entity types change, and then with what the same migration put into them."""
	assert answers_again(pair, wallet)
	change = "UPDATE `tabSync Entity` SET modified = modified {} INTERVAL 1 DAY"
	pair.replica.ask(f"USE `{pair.name}`", change.format("-"))
	try:
		read, servers = asked(pair, lambda: first_pull(wallet))
		assert wallet.key in read and servers == ["primary"]
	finally:
		pair.replica.ask(f"USE `{pair.name}`", change.format("+"))


# --- what an operator sees


def told(site):
	command = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", site, "hisabi-replica"]
	done = subprocess.run(command, cwd=os.environ["SITES_PATH"], capture_output=True, text=True, timeout=120)
	return done.returncode, done.stdout + done.stderr


def test_the_command_tells_how_far_the_replica_is_behind(wallet, pair, behind, site):
	spaces, before = replica.behind()
	behind()
	wallet.write()
	code, text = told(site)
	assert (code, text) == (
		0,
		f"The replica answers pulls of {spaces - before - 1} spaces; it is behind in {before + 1}.\n",
	)


def test_the_command_fails_where_the_replica_cannot_be_used(pair, site):
	pair.replica.stop(signal.SIGKILL)
	code, text = told(site)
	assert code == 1 and "answers no pulls" in text and "Traceback" not in text
