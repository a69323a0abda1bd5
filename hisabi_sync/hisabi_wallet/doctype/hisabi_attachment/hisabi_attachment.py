import frappe

from hisabi_sync.engine import ids
from hisabi_sync.engine.errors import ItemError, item_message
from hisabi_sync.hisabi_wallet import attachments
from hisabi_sync.hisabi_wallet.document import WalletDocument
from hisabi_sync.media import use


class HisabiAttachment(WalletDocument):
	def validate(self):
		super().validate()
		if attachments.is_key(self.file_id) and self.has_value_changed("file_id"):
			self._check_file()

	def _check_file(self):
		"""What a push would be told of its file_id."""
		found = use.use({self.file_id: None}, ids.space("wallet", self.wallet_id))
		try:
			wrong = attachments.disagreeing(self, attachments.facts_of(found.get(self.file_id)))
		except ItemError as error:
			frappe.throw(item_message(error.code, error.detail))
		if wrong:
			frappe.throw(item_message("invalid_value", wrong))
		self.file_url = attachments.file_url(self.file_id)


def on_doctype_update():
	"""Collecting media looks for the attachments that name a key."""
	frappe.db.add_index("Hisabi Attachment", ["file_id"])
