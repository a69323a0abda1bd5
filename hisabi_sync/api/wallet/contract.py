"""The wallet contract. Source: docs/contracts/wallet.md."""

from hisabi_sync.api.wallet import items
from hisabi_sync.engine.model.contract import Contract
from hisabi_sync.hisabi_wallet import attachments, entities, rules
from hisabi_sync.hisabi_wallet.derived import derive

WALLET = Contract(
	name="wallet",
	space_type="wallet",
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
)
