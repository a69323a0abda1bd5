"""What of ours a request keeps in `frappe.local` ends with that request, also when it broke off."""

import frappe

OURS = "hisabi_sync_"  # all that this app keeps there begins with it


def forget() -> None:
	"""Hook before every request. Frappe clears `frappe.local` after an answer, but not when its application fails as a whole.

	The next request in that thread would then be taken for the device of the last one.
	"""
	for name, _ in list(frappe.local):
		if name.startswith(OURS):
			delattr(frappe.local, name)
