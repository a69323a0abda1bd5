from hisabi_sync.api.protocol import codes as codes  # registered before anything here raises one
