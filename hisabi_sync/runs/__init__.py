from hisabi_sync.runs import codes as codes  # registered before anything here raises one
