"""The dialect of WatermelonDB: its own `synchronize`, without an adapter. Source: docs/contracts/watermelon.md."""

from hisabi_sync.api.watermelon import codes as codes  # registered before anything here raises one
