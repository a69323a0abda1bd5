import frappe

from hisabi_sync.engine import spaces
from hisabi_sync.hisabi_wallet import wallets
from hisabi_sync.hisabi_wallet.document import WalletDocument

SPACE_TYPE = "wallet"


class HisabiWallet(WalletDocument):
	"""A wallet is a space: its document opens it, its members may use it. Its id is the name, never derived."""

	def autoname(self):
		if self.client_id:
			self.name = self.client_id

	def before_validate(self):
		super().before_validate()
		self.owner_user = self.owner_user or frappe.session.user

	def after_insert(self):
		"""Open the space, unless a push opened it already, and make the owner its first member."""
		if not spaces.exists(SPACE_TYPE, self.name):
			spaces.open_space(SPACE_TYPE, self.name, self.wallet_name, self.doctype, self.name)
		self.db_set("wallet_id", self.name, update_modified=False)
		wallets.ensure_member(self.name, self.owner_user, "owner")
