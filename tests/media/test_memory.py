"""What a file of 200 MB costs the memory of the worker that takes it: a little, and the same as a small one.

A worker of its own, so that nothing else runs in it. Its threads, imports and caches are paid for by a first upload.
"""

import hashlib
import os
from pathlib import Path

import pytest

from tests.media.uploads import download_url, get, presign, put
from tests.support.server import Server

MIB = 1024 * 1024
SIZE, FIRST = 200 * MIB, 24 * MIB
ALLOWED = 24 * MIB  # 32 are promised; measured: nothing with a stream, 5 to 11 MiB with parts
BLOCK = os.urandom(MIB)  # no valid text: decoding it takes more than its size


class Body:
	"""So many bytes, read as a file is."""

	def __init__(self, size):
		self.size = self.left = size

	def __len__(self):
		return self.left

	def read(self, size):
		start = -self.left % MIB
		given = BLOCK[start : start + min(size, self.left)]
		self.left -= len(given)
		return given

	def sha256(self):
		digest = hashlib.sha256()
		for _ in range(self.size // MIB):
			digest.update(BLOCK)
		return digest.hexdigest()


@pytest.fixture
def worker(site, tmp_path):
	"""Serve an application with one worker: gives the server's URL and the worker's process id."""
	running = Server(site, tmp_path / "web.log", workers=1)

	def start(application):
		running.application = application
		running.start()
		(pid,) = running.worker_pids()
		return running.url, pid

	yield start
	running.stop()


def peak(pid, work):
	"""Bytes by which the process grew at its largest while the work was done."""
	before = memory(pid, "VmRSS")
	Path(f"/proc/{pid}/clear_refs").write_text("5")  # forgets the peak
	work()
	return memory(pid, "VmHWM") - before


def memory(pid, name):
	lines = Path(f"/proc/{pid}/status").read_text().splitlines()
	return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def signed(owner, url, size):
	given = {"filename": "a.bin", "content_type": "application/octet-stream"}
	answer = presign(owner, Body(size), **given)
	return answer["key"], answer["upload_url"].replace(owner.url, url), answer["headers"]


def stream(owner, url, size):
	key, target, headers = signed(owner, url, size)
	answer = put(target, Body(size), headers)
	assert answer.status_code == 200, answer.text
	return key


def parts(owner, url, size):
	key, target, headers = signed(owner, url, size)
	for first in range(0, size, MIB):
		place = {"Content-Range": f"bytes {first}-{first + MIB - 1}/{size}"}
		answer = put(target, BLOCK, {**headers, **place})
		assert answer.status_code == 200, answer.text
	assert answer.json()["message"]["state"] == "uploaded"
	return key


@pytest.mark.parametrize(
	"send,application",
	[(stream, "hisabi_sync.wsgi:application"), (parts, "frappe.app:application")],
	ids=["streamed", "in parts to Frappe itself"],
)
def test_a_large_upload_costs_the_worker_little(owner, worker, send, application):
	url, pid = worker(application)
	send(owner, url, FIRST)
	assert peak(pid, lambda: send(owner, url, SIZE)) < ALLOWED


def test_a_large_download_costs_the_worker_little(owner, worker):
	url, pid = worker("hisabi_sync.wsgi:application")
	small, large = stream(owner, url, FIRST), stream(owner, url, SIZE)

	def load(key):
		with get(download_url(owner, key).replace(owner.url, url), stream=True) as answer:
			return sum(len(block) for block in answer.iter_content(MIB))

	assert load(small) == FIRST
	assert peak(pid, lambda: load(large)) < ALLOWED
