from hisabi_sync.engine import clock, ids, spaces
from hisabi_sync.hisabi_wallet.document import WalletDocument


class HisabiWalletMember(WalletDocument):
	"""Who is in a wallet. The engine's membership follows this document in the same transaction."""

	def before_validate(self):
		super().before_validate()
		self.wallet = self.wallet or self.wallet_id
		now = clock.now()
		if self.status == "active":
			self.joined_at, self.removed_at = self.joined_at or now, None
		elif self.status == "removed":
			self.removed_at = self.removed_at or now

	def on_update(self):
		spaces.set_member(ids.space("wallet", self.wallet_id), self.user, self.role, self.status)

	def on_trash(self):
		spaces.set_member(ids.space("wallet", self.wallet_id), self.user, self.role, "removed")
