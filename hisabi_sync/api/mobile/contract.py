"""The mobile contract. Source: docs/contracts/mobile.md."""

from hisabi_sync.api.mobile import items
from hisabi_sync.engine.model.contract import Contract
from hisabi_sync.hisabi_field import entities, media, rules
from hisabi_sync.media import rows
from hisabi_sync.tenants import SPACE_TYPE

MOBILE = Contract(
	name="mobile",
	space_type=SPACE_TYPE,
	declare=entities.declare,
	read_again=items.read,
	rules={"Field Submission": rules.submission, "Field Meter": rules.meter},
	prepare={"Field Submission": media.prepare},
	derive=rules.follow,
	derives_from=frozenset({"Field Submission"}),
	media_columns={"Field Submission": [("Field Submission Media", "media", "submission")]},
	budgets=rows.BUDGETS,
	takes_rules=True,
	bulk_actions={"review_submissions": rules.REVIEW},
)
