"""The wallet contract. Source: docs/contracts/wallet.md."""

from hisabi_sync.api.wallet import items
from hisabi_sync.engine.model.contract import Budget, Contract
from hisabi_sync.hisabi_wallet import attachments, entities, invites, members, rules, wallets
from hisabi_sync.hisabi_wallet.derived import derive
from hisabi_sync.media import rows

WALLET = Contract(
	name="wallet",
	space_type=members.SPACE_TYPE,
	declare=entities.declare,
	read_again=items.read_again,
	rules={
		"Hisabi Transaction": rules.transaction,
		"Hisabi Account": rules.money,
		"Hisabi Budget": rules.money,
		"Hisabi Goal": rules.money,
		"Hisabi Bucket": rules.bucket,
		"Hisabi Attachment": attachments.rule,
	},
	prepare={"Hisabi Attachment": attachments.prepare},
	derive=derive.derive,
	hold=derive.hold,
	client_only=frozenset(("selectedWalletId", "selected_wallet_id")),
	media_columns={"Hisabi Attachment": [("Hisabi Attachment", "file_id", "name")]},
	budgets=(
		Budget("spaces", "max_spaces", 100, 1, 10_000, "too_many_spaces", count=wallets.count_owned),
		Budget("invites", "max_invites", 100, 1, 10_000, "too_many_invites", count=invites.count_open),
		*rows.BUDGETS,
	),
)
