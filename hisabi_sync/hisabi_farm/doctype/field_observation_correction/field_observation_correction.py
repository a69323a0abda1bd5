import frappe

from hisabi_sync.hisabi_farm.document import HistoryDocument


class FieldObservationCorrection(HistoryDocument):
	"""One link of an observation's chain: what was corrected, by whom and why."""


def on_doctype_update() -> None:
	"""The chain of an observation is read at once."""
	frappe.db.add_index("Field Observation Correction", ["observation", "number"])
