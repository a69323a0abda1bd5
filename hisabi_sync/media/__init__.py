"""Files beside records: a device asks for a signed URL, uploads, and names the key in a record.

`presign` hands out URLs, `receive` takes uploads of the local backend, `use` verifies the keys that a push names,
`collect` removes what nobody needs. `backends` says where bytes lie: `local` or `s3`.
"""

from hisabi_sync.media import codes as codes  # registered before anything here raises one
