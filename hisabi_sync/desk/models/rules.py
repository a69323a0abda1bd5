"""What the calls about rules of the conflict centre take and give."""

from typing import Literal

from hisabi_sync.api.protocol.schema import Answer, Count, Reason, Text, Time, choice
from hisabi_sync.desk.models.conflicts import OfConflict
from hisabi_sync.engine.resolution.what_if import ASK, CLIENT, OTHER, RULES, SERVER


class RulePreview(OfConflict):
	field: Text
	rule: choice(*RULES)


class Rule(RulePreview):
	reason: Reason = None


class RuledField(Answer):
	name: str
	label: str | None
	rule: Literal[ASK, SERVER, CLIENT]


class RuleOptions(Answer):
	entity_type: str
	may_save: bool
	fields: list[RuledField]


class RuleSummary(Answer):
	"""Of the conflicts that people settled, `same` would have ended alike and `different` would not."""

	total: Count
	settled: Count
	still_asked: Count
	by_people: Count
	same: Count
	different: Count


class PastConflict(Answer):
	"""`was` and `would`: whose value the field got, and whose it would have got."""

	conflict: str
	at: Time
	device: str | None
	device_title: str | None
	status: str
	server: str
	client: str
	was: Literal[ASK, SERVER, CLIENT, OTHER]
	would: Literal[ASK, SERVER, CLIENT, OTHER]
	settles: bool


class PreviewedRule(Answer):
	summary: RuleSummary
	rows: list[PastConflict]
	days: int
	most: int


class SavedRule(Answer):
	entity_type: str
	field_policies: dict[str, str]
