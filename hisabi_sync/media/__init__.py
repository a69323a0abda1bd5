"""Files of records: a device asks for a signed URL, uploads, and names the key in a record.

`presign` hands out URLs, `receive` takes uploads of the local backend, `use` verifies the keys that a push names,
`collect` removes uploads that nobody needs. `backends` chooses where files are kept: `local` or `s3`.
"""

from hisabi_sync.media import codes as codes  # registered before anything here raises one
