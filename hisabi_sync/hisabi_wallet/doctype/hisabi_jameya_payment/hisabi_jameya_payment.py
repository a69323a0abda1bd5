from hisabi_sync.hisabi_wallet.document import WalletDocument


class HisabiJameyaPayment(WalletDocument):
	pass
