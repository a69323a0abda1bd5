"""What the dialects of other libraries share: RxDB's and WatermelonDB's. Source: docs/contracts/rxdb.md and watermelon.md."""

from hisabi_sync.api.dialects import codes as codes  # registered before anything here raises one
