"""What is killed takes along what it has started, also what went into a session of its own."""

import subprocess
import sys
from pathlib import Path

from chaos import server
from tests.support.waiting import until

# As RQ does with its jobs: a child in a session of its own, here with a child of its own.
# Each writes its line at once: with PYTHONUNBUFFERED print writes twice, and lines of processes mix.
PROGRAM = r"""
import os, time
for _ in range(2):
	if os.fork():
		break
	os.setsid()
os.write(1, f"{os.getpid()}\n".encode())
time.sleep(600)
"""


def is_alive(pid):
	try:
		return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
	except OSError:
		return False


def test_jobs_in_sessions_of_their_own_are_killed_too():
	command = [sys.executable, "-c", PROGRAM]
	with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as worker:
		pids = [int(worker.stdout.readline()) for _ in range(3)]
		assert all(map(is_alive, pids)) and set(server.started_by(worker.pid)) == {*pids} - {worker.pid}
		assert server.kill_tree(worker) == 2
	until(lambda: not any(map(is_alive, pids)))
