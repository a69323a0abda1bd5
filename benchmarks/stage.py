"""What the benchmarks of one run share: filled wallets, a web server, and a DocType for the plain way."""

import os
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import frappe

from benchmarks import plain
from benchmarks.http import Http
from benchmarks.sizes import Sizes
from benchmarks.support import USER, Wallet
from chaos.server import Server
from hisabi_sync.engine.identity.budgets import rows

if TYPE_CHECKING:
	from chaos.server import Server as Started


class Stage:
	"""What benchmarks share: wallets of each size, a web server and credentials, made when first needed."""

	def __init__(self, sizes: Sizes) -> None:
		self.sizes = sizes
		self.wallets: dict[int, Wallet] = {}
		self.workers = sizes.workers or 2 * (os.cpu_count() or 1)
		self.folder = tempfile.TemporaryDirectory(prefix="hisabi-benchmark-")
		settings = frappe.get_doc("Sync Settings")
		self.most_items = settings.max_push_items
		_allow_items(max(self.most_items or 0, *sizes.pushed))
		self.budgets = {row.setting: settings.get(row.setting) for row in rows()}
		_set({row.setting: row.most for row in rows()})  # one device does here what a thousand do elsewhere

	def wallet(self, stored: int = 0) -> Wallet:
		"""A wallet with a number of records, the same one each time. Without records it is a new one each time."""
		if not stored:
			return Wallet()
		if stored not in self.wallets:
			self.wallets[stored] = Wallet()
			self.wallets[stored].fill(stored)
		return self.wallets[stored]

	@property
	def usual(self) -> Wallet:
		"""The wallet that goals are about; how it goes on from there is the table of growth."""
		return self.wallet(self.sizes.usual)

	@property
	def largest(self) -> Wallet:
		"""The wallet with the most records."""
		return self.wallet(max(self.sizes.stored))

	@cached_property
	def server(self) -> "Started":
		"""The web server, with as many workers as the sizes say."""
		log = Path(self.folder.name) / "web.log"
		return Server(frappe.local.site, log, self.workers, "hisabi_sync.wsgi:application").start()

	def http(self, wallet: Wallet | None = None, server: "Started | None" = None) -> Http:
		"""A connection of a wallet's device, or of the user by their API key, to a server."""
		credential = f"Bearer {wallet.token}" if wallet else f"token {self.key}"
		return Http((server or self.server).port, frappe.local.site, credential)

	@cached_property
	def key(self) -> str:
		"""`key:secret` of the user, for Frappe's REST."""
		secret, user = frappe.generate_hash(length=15), frappe.get_doc("User", USER)
		user.api_key, user.api_secret = user.api_key or frappe.generate_hash(length=15), secret
		user.save()
		frappe.db.commit()
		return f"{user.api_key}:{secret}"

	@cached_property
	def plain(self) -> str:
		"""The DocType of the plain way; it is gone after the run."""
		return plain.make()

	def close(self) -> None:
		"""Stop the server, and put settings back as they were."""
		if "server" in self.__dict__:
			self.server.stop()
		frappe.db.rollback()
		if "plain" in self.__dict__:
			plain.remove()
		_allow_items(self.most_items)
		_set(self.budgets)
		self.folder.cleanup()


def _allow_items(count: int) -> None:
	_set({"max_push_items": count})


def _set(values: Mapping[str, Any]) -> None:
	for name, value in values.items():
		frappe.db.set_single_value("Sync Settings", name, value)
	frappe.db.commit()
	frappe.clear_document_cache("Sync Settings", "Sync Settings")
