from hisabi_sync.api.site import codes as codes  # registered before anything here raises one
