"""./dev audit beside an advisory service that answers as OSV does."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.devtool.conftest import NO_ANSWER, ROOT

WEAK = "werkzeug"


class Advisories(ThreadingHTTPServer):
	"""`asked` collects the packages; those in `weak` have a weakness."""

	def __init__(self, weak):
		self.asked, self.weak = {}, weak
		super().__init__(("127.0.0.1", 0), Handler)
		threading.Thread(target=self.serve_forever, daemon=True).start()

	@property
	def url(self):
		return f"http://127.0.0.1:{self.server_port}/v1/query"


class Handler(BaseHTTPRequestHandler):
	def do_POST(self):
		query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
		name = query["package"]["name"]
		self.server.asked[name] = query["version"]
		known = {"id": "TEST-2026-1", "affected": [{"package": query["package"]}], "summary": "A hole."}
		body = json.dumps({"vulns": [known]} if name in self.server.weak else {}).encode()
		self.send_response(200)
		self.send_header("Content-Length", str(len(body)))
		self.end_headers()
		self.wfile.write(body)

	def log_message(self, *_):
		pass


@pytest.fixture
def audit(run):
	"""Audit with these packages weak; (exit status, what was printed, versions asked for by package)."""

	def ask(*weak):
		service = Advisories(weak)
		try:
			status, said = run(
				ROOT, "audit", "-s", "osv", "--osv-url", service.url, "--progress-spinner", "off"
			)
		finally:
			service.shutdown()
		return status, said, service.asked

	return ask


def test_a_known_weakness_of_a_pinned_package_fails_the_audit_and_is_named(audit):
	status, said, _ = audit(WEAK)
	assert status == 1
	assert WEAK in said and "TEST-2026-1" in said


def test_an_audit_asks_for_every_pinned_package_and_passes_when_nothing_is_known(audit):
	status, said, asked = audit()
	assert status == 0, said
	assert {canonicalize_name(name) for name in asked} == pinned("lock.txt") | pinned("checks.txt")


def test_a_service_that_cannot_be_reached_is_told_in_a_sentence(run):
	status, said = run(ROOT, "audit", "-s", "osv", "--osv-url", NO_ANSWER, "--progress-spinner", "off")
	assert status == 1 and "Traceback" not in said
	assert said.splitlines()[-1].startswith("The advisory service did not answer")


def pinned(name):
	"""Names of the packages of a lock file that this machine would get."""
	lines = (ROOT / "devtool" / "requirements" / name).read_text().splitlines()
	pins = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]
	return {canonicalize_name(pin.name) for pin in pins if pin.marker is None or pin.marker.evaluate()}
