"""An app with a real library in a Node of its own, told what to do by lines of JSON."""

import json
import os
import subprocess

import pytest

NEEDED = "the clients' libraries are not installed; run ./dev test"


class NodeApp:
	"""One device, whose app is a program. `close` ends it."""

	def __init__(self, program, device, site):
		self.device = device
		command = [os.environ.get("HISABI_NODE") or "node", str(program), device.url, site, device.token]
		self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

	def ask(self, name, /, **given):
		"""What a command gives. Raises AssertionError with the library's words when it fails."""
		self.process.stdin.write(json.dumps({"do": name, **given}) + "\n")
		self.process.stdin.flush()
		line = self.process.stdout.readline()
		assert line, "the app has ended"
		answer = json.loads(line)
		assert "gives" in answer, answer["fails"]
		return answer["gives"]

	def sync(self):
		"""Exchange everything; what went wrong on the way."""
		return self.ask("sync")

	def close(self):
		self.process.stdin.close()
		self.process.wait(timeout=30)


def skip_without_libraries(items, folder):
	"""Without the libraries the tests of a folder are skipped, which `./dev test` never does."""
	if not os.environ.get("HISABI_CLIENTS"):
		for item in items:
			if folder in str(item.path):
				item.add_marker(pytest.mark.skip(reason=NEEDED))
