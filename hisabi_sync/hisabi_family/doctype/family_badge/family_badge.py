from hisabi_sync.hisabi_family.document import FamilyDocument


class FamilyBadge(FamilyDocument):
	"""A badge that a member was awarded, once."""

	PREFIX = "badge"
