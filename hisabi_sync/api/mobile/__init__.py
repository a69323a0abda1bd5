from hisabi_sync.api.mobile import codes as codes  # registered before anything here raises one
