import frappe

from hisabi_sync.engine import push_context
from hisabi_sync.engine.model import ids
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import ItemError, item_message
from hisabi_sync.hisabi_wallet import attachments
from hisabi_sync.hisabi_wallet.document import WalletDocument
from hisabi_sync.media import use


class HisabiAttachment(WalletDocument):
	def validate(self) -> None:
		super().validate()
		if attachments.is_key(self.file_id) and self.has_value_changed("file_id"):
			self._check_file()

	def _check_file(self) -> None:
		"""What a push would be told of its file_id; code that asks for no rights may name any upload of the wallet."""
		space = ids.space("wallet", self.wallet_id)
		record = ids.record(space, self.doctype, ids.decode(self.client_id))
		found = use.use({self.file_id: record}, space, self._caller(space))
		try:
			wrong = attachments.disagreeing(self, attachments.facts_of(found.get(self.file_id)))
		except ItemError as error:
			frappe.throw(item_message(error.code, error.detail))
		if wrong:
			frappe.throw(item_message("invalid_value", wrong))
		self.file_url = attachments.file_url(self.file_id)

	def _caller(self, space: str) -> Caller | None:
		"""The Caller whose view decides: the caller of the push that saves this, else the user in the Desk."""
		pushing = push_context.caller()
		if pushing or self.flags.ignore_permissions:
			return pushing
		return Caller.of_system(frappe.session.user, space)


def on_doctype_update() -> None:
	"""Collecting media looks for the attachments that name a key."""
	frappe.db.add_index("Hisabi Attachment", ["file_id"])
