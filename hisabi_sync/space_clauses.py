"""Which rows of a DocType lie in given spaces: the table by which User Permissions on Sync Space limit people.

Frappe calls a list's hook with the user alone, so that each DocType needs a function of its own:
`space_clauses.hisabi_account` is that of Hisabi Account, made when it is asked for. The hooks name them all.
"""

from collections.abc import Callable

# Column -> the DocTypes whose rows name the space itself in it.
_SPACES = {
	"name": ("Sync Space",),
	"space": (
		"Sync Space Member",
		"Sync Record",
		"Sync Batch",
		"Sync Item",
		"Sync Conflict",
		"Sync Device Position",
		"Sync Media",
		"Sync Call",
		"Sync Connection",
		"Sync Run",
		"Sync Run Record",
		"Sync Identity",
		"Sync Watermark",
	),
}
# (Type of space, column) -> the DocTypes whose rows have the space's own key in it: the name of a wallet, a tenant.
_SPACE_KEYS = {
	("wallet", "name"): ("Hisabi Wallet",),
	("wallet", "wallet"): ("Hisabi Wallet Invite",),
	("wallet", "wallet_id"): (
		"Hisabi Account",
		"Hisabi Allocation Rule",
		"Hisabi Allocation Rule Line",
		"Hisabi Attachment",
		"Hisabi Bucket",
		"Hisabi Bucket Template",
		"Hisabi Budget",
		"Hisabi Category",
		"Hisabi Custom Currency",
		"Hisabi Debt",
		"Hisabi Debt Installment",
		"Hisabi Debt Request",
		"Hisabi FX Rate",
		"Hisabi Goal",
		"Hisabi Jameya",
		"Hisabi Jameya Payment",
		"Hisabi Recurring Instance",
		"Hisabi Recurring Rule",
		"Hisabi Settings",
		"Hisabi Transaction",
		"Hisabi Transaction Allocation",
		"Hisabi Transaction Bucket",
		"Hisabi Transaction Bucket Expense",
		"Hisabi Wallet Member",
	),
	("tenant", "tenant"): (
		"Field Form",
		"Field Meter",
		"Field Old Token",
		"Field Submission",
		"Hisabi Customer",
		"Hisabi Invoice",
		"Hisabi Order",
		"Hisabi Payment",
		"Hisabi Product",
	),
	("family", "name"): ("Family",),
	("family", "family"): (
		"Family Badge",
		"Family Event",
		"Family Points Entry",
		"Family Streak",
		"Family Sync Day",
		"Family Sync Point",
		"Family Task",
	),
	("farm", "farm"): (
		"Field Observation",
		"Field Observation Correction",
		"Field Playbook",
		"Field Playbook Patch",
		"Field Playbook Version",
		"Field Recommendation",
	),
}
_KEYS_OF = "SELECT space_key FROM `tabSync Space` WHERE space_type = '{type}' AND name IN ({{spaces}})"
_OF_SUBMISSION = "`tabField Submission Media`.submission IN (SELECT name FROM `tabField Submission` WHERE tenant IN ({keys}))"

# What holds in every space. Users with User Permissions on Sync Space read these and cannot change them.
EVERYWHERE = ("Sync Settings", "Sync Entity", "Sync Space Type", "Family Settings", "Family Badge Rule")

# Field of a document -> type of the space that it names.
KEYS = {column: type for type, column in _SPACE_KEYS if column != "name"}
# DocType -> which of its rows lie in one of the spaces `{spaces}`.
CLAUSES = {
	**{
		doctype: f"`tab{doctype}`.{column} IN ({{spaces}})"
		for column, doctypes in _SPACES.items()
		for doctype in doctypes
	},
	**{
		doctype: f"`tab{doctype}`.{column} IN ({_KEYS_OF.format(type=type)})"
		for (type, column), doctypes in _SPACE_KEYS.items()
		for doctype in doctypes
	},
	"Sync Version": "`tabSync Version`.record IN (SELECT name FROM `tabSync Record` WHERE space IN ({spaces}))",
	"Sync Waiting": (
		"`tabSync Waiting`.document_name IN (SELECT document_name FROM `tabSync Record`"
		" WHERE entity_type = `tabSync Waiting`.entity_type AND space IN ({spaces}))"
	),
	"Field Submission Media": _OF_SUBMISSION.format(keys=_KEYS_OF.format(type="tenant")),
	"Sync Schema": "1 = 0",  # it lies in no space
	"Sync Cursor": "`tabSync Cursor`.owner IN (SELECT user FROM `tabSync Space Member` WHERE space IN ({spaces}))",
	"Sync Device": "`tabSync Device`.user IN (SELECT user FROM `tabSync Space Member` WHERE space IN ({spaces}))",
}


def _function(doctype: str) -> str:
	return doctype.lower().replace(" ", "_")


_DOCTYPES = {_function(doctype): doctype for doctype in CLAUSES}
# DocType -> its function, as Frappe's hook wants them.
HOOKS = {doctype: f"{__name__}.{_function(doctype)}" for doctype in CLAUSES}


def __getattr__(name: str) -> Callable[..., str]:
	if name not in _DOCTYPES:
		raise AttributeError(name)
	from hisabi_sync import permissions  # which itself needs the clauses from here

	return lambda user=None: permissions.conditions(_DOCTYPES[name], user)
