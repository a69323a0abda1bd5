from hisabi_sync.engine import ids, spaces
from hisabi_sync.hisabi_wallet.document import WalletDocument


class HisabiWalletMember(WalletDocument):
	"""Who is in a wallet. The engine's membership follows this document in the same transaction."""

	def before_validate(self):
		super().before_validate()
		self.wallet = self.wallet or self.wallet_id

	def on_update(self):
		spaces.set_member(ids.space("wallet", self.wallet_id), self.user, self.role, self.status)

	def on_trash(self):
		spaces.set_member(ids.space("wallet", self.wallet_id), self.user, self.role, "removed")
