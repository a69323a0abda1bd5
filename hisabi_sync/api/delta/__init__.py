from hisabi_sync.api.delta import codes as codes  # registered before anything here raises one
