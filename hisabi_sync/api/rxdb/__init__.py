"""The dialect of RxDB: its own replication, without an adapter. Source: docs/contracts/rxdb.md."""
