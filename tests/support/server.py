"""The web server of the tests, which holds its answers against docs/openapi.json."""

from chaos import server
from chaos.server import free_port

__all__ = ["REPORT", "Server", "free_port"]
REPORT = "HISABI_ANSWERS"  # environment variable: file for answers that are not as documented


class Server(server.Server):
	application = "tests.support.answers:application"

	@property
	def report(self):
		return self.log.with_suffix(".answers")

	def environment(self):
		return {REPORT: str(self.report)}

	def unfit_answers(self):
		"""Answers so far that are not as the OpenAPI document says, one line each."""
		return self.report.read_text().splitlines() if self.report.exists() else []
