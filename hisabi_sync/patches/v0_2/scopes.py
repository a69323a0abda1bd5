"""Scopes of tokens from before 0.2, by the contracts that they were used for."""

from collections import defaultdict

import frappe

# As the names were when this was written.
CONTRACTS, EDIT_PLAYBOOKS = ("wallet", "mobile", "batch", "family", "runs"), "playbook:edit"
# Where a device left a trace of the contract that it used: (device, contract or type of space).
TRACES = (
	"SELECT DISTINCT device, contract FROM `tabSync Batch`",
	"SELECT DISTINCT device, contract FROM `tabSync Call`",
	"SELECT DISTINCT p.device, s.space_type FROM `tabSync Device Position` p JOIN `tabSync Space` s ON s.name = p.space",
	"SELECT DISTINCT m.device, s.space_type FROM `tabSync Media` m JOIN `tabSync Space` s ON s.name = m.space",
	"SELECT DISTINCT device, 'mobile' FROM `tabField Old Token`",
	# Only the batch contract issues tokens that work for some hours.
	"SELECT name, 'batch' FROM `tabSync Device` WHERE token_hours > 0",
)
OF_SPACES = {"tenant": "mobile", "farm": "batch"}
BEFORE = "sync"  # the one scope that every token had, and that opened everything


def execute() -> None:
	"""Give each token from before 0.2 the scopes of the contracts that it was used for.

	A token without any trace of use gets all contracts, and not the Desk.
	"""
	used = _used()
	rows = frappe.db.sql(
		"""SELECT name, scopes FROM `tabSync Device` WHERE token_hash IS NOT NULL AND (scopes IS NULL OR scopes = ''
		OR scopes = %s OR scopes LIKE %s)""",
		(BEFORE, f"{BEFORE} %"),
	)
	devices = defaultdict(list)
	for name, scopes in rows:
		devices[_scopes(used[name], scopes)].append(name)
	for words, names in devices.items():
		frappe.db.sql("UPDATE `tabSync Device` SET scopes = %s WHERE name IN %s", (words, tuple(names)))


def _used() -> dict[str, set[str]]:
	"""{device: scopes of the contracts that it used}."""
	found = defaultdict(set)
	for query in TRACES:
		for device, word in frappe.db.sql(query):
			found[device].add(OF_SPACES.get(word, word))
	return found


def _scopes(used: set[str], scopes: str | None) -> str:
	kept = [scope for scope in CONTRACTS if scope in used] or CONTRACTS
	special = [EDIT_PLAYBOOKS] if EDIT_PLAYBOOKS in (scopes or "") else []
	return " ".join([*kept, *special])
