from hisabi_sync.api.batch import codes as codes  # registered before anything here raises one
