"""Pushes of WatermelonDB keep their changes as the site contract does, so that people settle them alike. Source: docs/contracts/watermelon.md."""

from hisabi_sync.api.site import items
from hisabi_sync.engine.model.contract import Contract

WATERMELON = Contract(name="watermelon", space_type="", read_again=items.read_again)
