"""Which documents of wallets people see whom User Permissions keep to some spaces: those of the wallets among these.

Frappe calls a list's hook with the user alone, so that each DocType needs a function of its own: `sight.hisabi_account`
is that of Hisabi Account. The hooks name them all.
"""

DOCTYPES = (
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
)
COLUMNS = {**dict.fromkeys(DOCTYPES, "wallet_id"), "Hisabi Wallet": "name", "Hisabi Wallet Invite": "wallet"}
CLAUSES = {
	doctype: f"`tab{doctype}`.{column} IN (SELECT space_key FROM `tabSync Space` WHERE name IN ({{spaces}}))"  # noqa: S608
	for doctype, column in COLUMNS.items()
}


def _function(doctype):
	return doctype.lower().replace(" ", "_")


_DOCTYPES = {_function(doctype): doctype for doctype in COLUMNS}
# DocType -> its function, as Frappe's hook wants them.
HOOKS = {doctype: f"{__name__}.{_function(doctype)}" for doctype in COLUMNS}


def __getattr__(name):
	if name not in _DOCTYPES:
		raise AttributeError(name)
	from hisabi_sync import permissions  # which itself needs the clauses from here

	def conditions(user=None):
		return permissions.conditions(_DOCTYPES[name], user)

	return conditions
