from hisabi_sync.hisabi_field import codes as codes  # registered before anything here raises one
