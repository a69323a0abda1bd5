import frappe

from hisabi_sync.hisabi_wallet.document import WalletDocument


class HisabiTransaction(WalletDocument):
	"""Money that came, went or moved. Balances and budgets follow it."""


def on_doctype_update() -> None:
	"""Budgets are counted by wallet and time."""
	frappe.db.add_index("Hisabi Transaction", ["wallet_id", "date_time"])
