"""The dialect of RxDB: its own replication, without an adapter. Source: docs/contracts/rxdb.md."""

from hisabi_sync.api.rxdb import codes as codes  # registered before anything here raises one
