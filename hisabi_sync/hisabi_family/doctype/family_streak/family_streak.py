from hisabi_sync.hisabi_family.document import FamilyDocument


class FamilyStreak(FamilyDocument):
	"""What the server counts for one member: streak, points, tasks done."""

	PREFIX = "streak"
