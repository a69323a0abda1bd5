from hisabi_sync.hisabi_wallet.document import WalletDocument


class HisabiJameya(WalletDocument):
	pass
