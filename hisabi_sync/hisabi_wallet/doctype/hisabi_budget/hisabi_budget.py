from hisabi_sync.hisabi_wallet.document import WalletDocument


class HisabiBudget(WalletDocument):
	pass
