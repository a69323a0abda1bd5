from hisabi_sync.api.runs import codes as codes  # registered before anything here raises one
