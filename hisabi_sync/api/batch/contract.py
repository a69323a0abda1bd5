"""The batch contract. Source: docs/contracts/batch.md."""

from hisabi_sync.api.batch import items
from hisabi_sync.engine.model.contract import Contract
from hisabi_sync.hisabi_farm import chain, entities, farms, rules

BATCH = Contract(
	name="batch",
	space_type=farms.SPACE_TYPE,
	declare=entities.declare,
	read_again=items.read_again,
	rules={
		"Field Observation": rules.observation,
		"Field Recommendation": rules.recommendation,
		"Field Playbook": rules.playbook,
	},
	prepare={
		"Field Observation": rules.prepare_observations,
		"Field Playbook": rules.prepare_playbooks,
	},
	derive=chain.follow,
	derives_from=frozenset({"Field Observation"}),
)
