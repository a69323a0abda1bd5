from hisabi_sync.hisabi_farm import codes as codes  # registered before anything here raises one
