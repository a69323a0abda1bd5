"""Pushes of RxDB keep their changes as the site contract does, so that people settle them alike. Source: docs/contracts/rxdb.md."""

from hisabi_sync.api.site import items
from hisabi_sync.engine.model.contract import Contract

RXDB = Contract(name="rxdb", space_type="", read_again=items.read_again)
