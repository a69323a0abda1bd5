"""The delta contract. Source: docs/contracts/delta.md."""

from hisabi_sync.api.delta import items
from hisabi_sync.engine.model.contract import Contract
from hisabi_sync.hisabi_family import derived, entities, families, rules

DELTA = Contract(
	name="family",
	space_type=families.SPACE_TYPE,
	declare=entities.declare,
	read_again=items.read,
	rules={"Family Task": rules.task, "Family Event": rules.event, "Family Points Entry": rules.points},
	prepare={"Family Points Entry": rules.prepare_points},
	derive=derived.derive,
	hold=derived.hold,
	announce=families.announce,
)
