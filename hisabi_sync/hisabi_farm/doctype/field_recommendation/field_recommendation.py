from hisabi_sync.hisabi_farm.document import ConfirmedDocument


class FieldRecommendation(ConfirmedDocument):
	"""What should be done in a field, and why. Once confirmed it never changes."""

	PREFIX = "rec"
	CONTENT = (
		"crop field_id severity observation_id playbook_id playbook_version rule_id recommendation reason product dose "
		"dose_unit"
	).split()
