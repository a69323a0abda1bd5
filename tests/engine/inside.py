"""Wallets and devices that use the engine in this process, without HTTP, each call in a transaction of its own."""

import os
from concurrent.futures import ThreadPoolExecutor

import frappe

from hisabi_sync.api.wallet import items as wallet_items
from hisabi_sync.engine import pull, push
from hisabi_sync.engine.identity import device_tokens
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_wallet import wallets
from tests.support import users
from tests.support.phone import new_id


def make_user(number):
	"""The e-mail address of a user who stays on the site."""
	email = f"engine-user-{number}@example.com"
	if not frappe.db.exists("User", email):
		users.make_user("Hisabi User", email=email, password=None)
	return email


def make_wallet(user):
	"""Id of a new wallet that the user owns."""
	wallet = wallets.create(user, new_id("wallet"), "Engine")
	frappe.db.commit()
	return wallet


def space_of(wallet):
	return ids.space("wallet", wallet)


def set_member(wallet, user, role="member", status="active"):
	spaces.set_member(space_of(wallet), user, role, status)
	frappe.db.commit()


class Device:
	"""A registered device of a user in a wallet. The items are those of the wallet contract."""

	def __init__(self, user, wallet, device_id=None):
		self.user, self.wallet = user, wallet
		self.name = device_tokens.register(user, device_id or new_id("device"))[0].name
		frappe.db.commit()

	def caller(self):
		return Caller(self.user, space_of(self.wallet), self.name, "wallet", self.wallet)

	def result(self, *items, atomic=False, before=None, dry_run=False):
		"""Push the items; the engine's Result. `before` runs first in the transaction."""
		frappe.db.rollback()
		options = push.Options("wallet", atomic, dry_run)
		changes = wallet_items.read(list(items), self.wallet)
		return push.push(self.caller(), changes, options, before)

	def push(self, *items, **options):
		"""Push the items; the outcomes in their order."""
		return self.result(*items, **options).outcomes

	def page(self, cursor=None, limit=500):
		frappe.db.rollback()
		return pull.pull(self.caller(), cursor, limit)

	def pull(self, cursor=None, limit=500):
		"""All items after the cursor, and the cursor behind them."""
		items = []
		while True:
			page = self.page(cursor, limit)
			items += page.items
			cursor = page.next_cursor
			if not page.has_more:
				return items, cursor


def sequences(wallet):
	"""Numbers of the space's records, and the space's counter."""
	space = space_of(wallet)
	numbers = frappe.db.sql("SELECT sequence FROM `tabSync Record` WHERE space = %s", (space,), pluck=True)
	return sorted(numbers), frappe.db.get_value("Sync Space", space, "sequence")


def record_of(wallet, entity_type, client_id):
	"""The Sync Record's row as a dict."""
	return frappe.db.get_value(
		"Sync Record", ids.record(space_of(wallet), entity_type, client_id), "*", as_dict=True
	)


def elsewhere(site, work):
	"""Run `work` to its end on another connection of another thread; its result."""
	with ThreadPoolExecutor(1) as pool:
		return pool.submit(_connected, site, work).result(60)


def _connected(site, work):
	frappe.init(site=site, sites_path=os.environ["SITES_PATH"])
	frappe.connect()
	try:
		return work()
	finally:
		frappe.destroy()
