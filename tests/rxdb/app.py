"""An app with the real RxDB."""

from pathlib import Path

from tests.clients.app import NodeApp

PROGRAM = Path(__file__).with_name("client.mjs")


class RxApp(NodeApp):
	"""One device with RxDB's collections."""

	def __init__(self, device, site, collections, **more):
		super().__init__(PROGRAM, device, site)
		self.known = self.ask("open", collections=collections, **more)

	def docs(self, collection):
		"""{id: document} of a collection."""
		return {one["id"]: one for one in self.ask("docs", collection=collection)}
