from datetime import datetime
from typing import Any

from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.sharing import spaces
from hisabi_sync.hisabi_wallet import members
from hisabi_sync.hisabi_wallet.document import WalletDocument


class HisabiWalletMember(WalletDocument):
	"""Who is in a wallet. The engine's membership follows this document in the same transaction."""

	user: str
	joined_at: datetime | None
	removed_at: datetime | None

	def get_invalid_links(self, is_submittable: bool = False) -> tuple[list[Any], list[Any]]:
		"""Nobody learns which users exist: a user who may join is not looked up."""
		typed = (self.user or "").strip().lower()
		invalid, cancelled = super().get_invalid_links(is_submittable)
		self.user = self.user or typed
		return [link for link in invalid if link[0] != "user"], cancelled

	def before_validate(self) -> None:
		super().before_validate()
		self.wallet = self.wallet_id
		now = clock.now()
		if self.status == members.ACTIVE:
			self.joined_at, self.removed_at = self.joined_at or now, None
		elif self.status == members.REMOVED:
			self.removed_at = self.removed_at or now

	def validate(self) -> None:
		super().validate()
		members.check(self)
		if self.is_new():
			members.keep_single(self)

	def on_update(self) -> None:
		self._set_member(self.status)

	def before_tombstone(self) -> None:
		"""A device deletes the membership: it ends."""
		members.check_removal(self)
		self._set_member(members.REMOVED)

	def on_trash(self) -> None:
		self.before_tombstone()

	def _set_member(self, status: str) -> None:
		spaces.set_member(ids.space(members.SPACE_TYPE, self.wallet_id), self.user, self.role, status)
		if (self.role, status) != ("owner", members.ACTIVE):
			members.follow_owner(self.wallet_id)
