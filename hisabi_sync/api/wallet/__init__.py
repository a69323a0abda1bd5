from hisabi_sync.api.wallet import codes as codes  # registered before anything here raises one
