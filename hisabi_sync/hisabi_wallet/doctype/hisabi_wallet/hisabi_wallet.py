import frappe

from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_wallet import members
from hisabi_sync.hisabi_wallet.document import WalletDocument


class HisabiWallet(WalletDocument):
	"""A wallet is a space: its document opens it, its members may use it. Its id is the name, never derived."""

	owner_user: str

	def autoname(self) -> None:
		if self.client_id:
			self.name = self.client_id

	def before_validate(self) -> None:
		super().before_validate()
		self.owner_user = self.owner_user or frappe.session.user

	def validate(self) -> None:
		"""A new wallet is its maker's; later its owners and admins edit it, and whose it is follows its members."""
		super().validate()
		if self.flags.trusted or members.is_exempt():
			return
		if self.is_new():
			allowed = self.owner_user == frappe.session.user
		else:
			allowed = self._may("edit_wallet") and not self.has_value_changed("owner_user")
		if not allowed:
			members.refuse()

	def _may(self, right: str) -> bool:
		return right in members.RIGHTS[members.active_role(self.name, frappe.session.user)].may

	def after_insert(self) -> None:
		"""Open the space, unless a push opened it already, and make the owner its first member."""
		if not spaces.exists(members.SPACE_TYPE, self.name):
			spaces.open_space(members.SPACE_TYPE, self.name, self.wallet_name, self.doctype, self.name)
		self.db_set("wallet_id", self.name, update_modified=False)
		members.ensure(self.name, self.owner_user, "owner")

	def before_tombstone(self) -> None:
		if not (members.is_exempt() or self._may("delete_wallet")):
			members.refuse()

	def on_trash(self) -> None:
		self.before_tombstone()
