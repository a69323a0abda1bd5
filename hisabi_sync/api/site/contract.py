"""The site contract: whatever is synced on a site, in spaces of all kinds. Source: docs/contracts/site.md."""

from hisabi_sync.api.site import items
from hisabi_sync.engine.model.contract import Contract

SITE = Contract(name="site", space_type="", read_again=items.read_again)
