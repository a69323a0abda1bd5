import frappe
from frappe import _
from frappe.model.document import Document

from hisabi_sync import bounds
from hisabi_sync.engine.identity import budgets
from hisabi_sync.media import s3


class SyncSettings(Document):
	def validate(self) -> None:
		bounds.check(self)
		self._check_storage()
		self._check_budgets()

	def _check_storage(self) -> None:
		if self.media_backend == "S3" and not s3.is_installed():
			frappe.throw(
				_("Uploads in S3 need the Python package boto3, which is not installed: {0}").format(
					"pip install hisabi_sync[s3]"
				)
			)

	def _check_budgets(self) -> None:
		for name, least, most in budgets.wrong_settings(self):
			label = _(self.meta.get_label(name))
			frappe.throw(_("{0} must be between {1} and {2}").format(label, least, most))
