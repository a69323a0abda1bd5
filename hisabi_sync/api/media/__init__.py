from hisabi_sync.api.media import codes as codes  # registered before anything here raises one
