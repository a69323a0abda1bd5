"""The dialect of WatermelonDB: its own `synchronize`, without an adapter. Source: docs/contracts/watermelon.md."""
