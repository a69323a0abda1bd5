"""An app with the real WatermelonDB."""

from pathlib import Path

from tests.clients.app import NodeApp

PROGRAM = Path(__file__).with_name("client.mjs")


class WmApp(NodeApp):
	"""One device with WatermelonDB's tables."""

	def __init__(self, device, site, tables, **more):
		super().__init__(PROGRAM, device, site)
		self.known = self.ask("open", tables=tables, **more)

	def docs(self, table):
		"""{id: row} of a table, without what the library keeps for itself."""
		return {
			one["id"]: {name: value for name, value in one.items() if not name.startswith("_")}
			for one in self.ask("docs", table=table)
		}

	def dirty(self, table):
		"""Ids of rows that wait to be pushed."""
		return {one["id"] for one in self.ask("docs", table=table) if one["_status"] != "synced"}
