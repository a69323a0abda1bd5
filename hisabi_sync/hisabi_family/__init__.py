from hisabi_sync.hisabi_family import codes as codes  # registered before anything here raises one
