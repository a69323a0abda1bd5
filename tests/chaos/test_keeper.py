"""A job of the keeper that fails is told, unless a server was away or somebody was faster."""

import subprocess
import sys

import pymysql
import pytest
import redis

from chaos import keeper
from hisabi_sync.engine.model.errors import RequestError


@pytest.mark.parametrize(
	("error", "excused"),
	[
		(pymysql.OperationalError(2013, "Lost connection to MySQL server during query"), True),
		(pymysql.InterfaceError(0, ""), True),
		(pymysql.OperationalError(1213, "Deadlock found"), True),
		(redis.exceptions.ConnectionError("refused"), True),
		(RequestError("unavailable"), True),
		(pymysql.ProgrammingError(1146, "Table 'x' doesn't exist"), False),
		(TypeError("nothing"), False),
	],
	ids=repr,
)
def test_what_a_fault_excuses(error, excused):
	assert keeper.is_excused(error) is excused


def test_failures_are_found_in_the_log_each_once(tmp_path):
	log = tmp_path / "keeper.log"
	assert keeper.failures(log) == []
	log.write_text(
		"Traceback ...\nTypeError: a\nFAILED collect: TypeError('a')\nx\nFAILED collect: TypeError('a')\n"
	)
	assert keeper.failures(log) == ["collect: TypeError('a')"]


PROGRAM = """
import os
from chaos import keeper

def collect():
	raise TypeError("a")

os.chdir(os.environ["SITES_PATH"])
keeper.JOBS = {collect: 3, lambda: print("DONE"): 3}
keeper.turn({})
"""


def test_a_job_that_fails_says_so_and_the_others_are_done(site):
	done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
	assert {"FAILED collect: TypeError('a')", "DONE"} <= set(done.stdout.splitlines()), done.stderr
