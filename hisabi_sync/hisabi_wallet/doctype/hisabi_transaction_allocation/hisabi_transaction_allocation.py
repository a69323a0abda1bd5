from hisabi_sync.hisabi_wallet.document import WalletDocument


class HisabiTransactionAllocation(WalletDocument):
	pass
