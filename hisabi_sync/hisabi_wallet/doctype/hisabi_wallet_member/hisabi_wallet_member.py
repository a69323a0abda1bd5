from hisabi_sync.engine import clock, ids, spaces
from hisabi_sync.hisabi_wallet import members
from hisabi_sync.hisabi_wallet.document import WalletDocument


class HisabiWalletMember(WalletDocument):
	"""Who is in a wallet. The engine's membership follows this document in the same transaction."""

	def get_invalid_links(self, is_submittable=False):
		"""Who has an account is nobody's business: a user who may join is taken as given."""
		given = (self.user or "").strip().lower()
		invalid, cancelled = super().get_invalid_links(is_submittable)
		self.user = self.user or given
		return [link for link in invalid if link[0] != "user"], cancelled

	def before_validate(self):
		super().before_validate()
		self.wallet = self.wallet_id
		now = clock.now()
		if self.status == members.ACTIVE:
			self.joined_at, self.removed_at = self.joined_at or now, None
		elif self.status == members.REMOVED:
			self.removed_at = self.removed_at or now

	def validate(self):
		super().validate()
		members.check(self)
		if self.is_new():
			members.keep_single(self)

	def on_update(self):
		self._set_member(self.status)

	def before_tombstone(self):
		"""A device deletes the membership: it ends."""
		members.check_removal(self)
		self._set_member(members.REMOVED)

	def on_trash(self):
		self.before_tombstone()

	def _set_member(self, status):
		spaces.set_member(ids.space(members.SPACE_TYPE, self.wallet_id), self.user, self.role, status)
		if (self.role, status) != ("owner", members.ACTIVE):
			members.follow_owner(self.wallet_id)
