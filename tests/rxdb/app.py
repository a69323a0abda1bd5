"""An app with the real RxDB in a Node of its own, told what to do by lines of JSON."""

import json
import os
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).with_name("client.mjs")


class RxApp:
	"""One device with RxDB's collections. `close` ends it."""

	def __init__(self, device, site, collections, **more):
		self.device = device
		command = [os.environ.get("HISABI_NODE") or "node", str(PROGRAM), device.url, site, device.token]
		self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
		self.known = self.ask("open", collections=collections, **more)

	def ask(self, name, /, **given):
		"""What a command gives. Raises AssertionError with the library's words when it fails."""
		self.process.stdin.write(json.dumps({"do": name, **given}) + "\n")
		self.process.stdin.flush()
		line = self.process.stdout.readline()
		assert line, "the app has ended"
		answer = json.loads(line)
		assert "gives" in answer, answer["fails"]
		return answer["gives"]

	def docs(self, collection):
		"""{id: document} of a collection."""
		return {one["id"]: one for one in self.ask("docs", collection=collection)}

	def sync(self):
		"""Exchange everything; the errors on the way."""
		return self.ask("sync")

	def close(self):
		self.process.stdin.close()
		self.process.wait(timeout=30)
