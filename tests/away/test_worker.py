"""A worker that lost Redis goes on when it is back."""

import os
import subprocess
import sys
import time

import pytest
from frappe.utils.background_jobs import generate_qname
from redis import Redis
from rq import Queue, Worker
from rq.job import JobStatus
from rq.worker import WorkerStatus

WORKER = ("-m", "frappe.utils.bench_helper", "frappe", "worker", "--queue", "short,default,long")


@pytest.fixture
def worker(site, own_redis, tmp_path):
	with (tmp_path / "worker.log").open("ab") as log:
		env = os.environ | own_redis.environment()
		argv = [sys.executable, *WORKER]
		running = subprocess.Popen(argv, cwd=os.environ["SITES_PATH"], env=env, stdout=log, stderr=log)
	yield running
	running.terminate()
	running.wait(30)


def does_a_job(own_redis, worker):
	"""Whether the worker does a job within a minute, and waits for the next one then: with work in hand it may end without Redis."""
	queue = Queue(generate_qname("short"), connection=Redis.from_url(f"{own_redis.address}/1"))
	job, end = queue.enqueue(time.sleep, 0), time.monotonic() + 60
	while time.monotonic() < end and worker.poll() is None:
		states = {one.get_state() for one in Worker.all(connection=queue.connection)}
		if job.get_status(refresh=True) == JobStatus.FINISHED and states <= {WorkerStatus.IDLE}:
			return True
		time.sleep(0.2)
	return False


def test_a_worker_that_lost_redis_does_the_next_job(own_redis, worker):
	assert does_a_job(own_redis, worker)
	own_redis.stop()
	time.sleep(4)
	assert worker.poll() is None
	own_redis.start()
	assert does_a_job(own_redis, worker)
