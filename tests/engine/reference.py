"""The conflict policies once more, slow and obvious: every version of a record is kept as a whole.

Written from the design's table of policies; it shares no code with the engine. Values are text.
"""

from dataclasses import dataclass, field

SETTLED = ("last_write_wins", "client_wins", "server_wins")


@dataclass
class Version:
	values: dict
	changed: set
	at: object
	content: bool


@dataclass
class Answer:
	"""`kind` is apply, duplicate, conflict or an error's code; `lost` maps a field to the side that lost."""

	kind: str
	fields: set = field(default_factory=set)
	lost: dict = field(default_factory=dict)


class Record:
	def __init__(self, policy, parameters, choices, values, at):
		self.policy, self.parameters, self.choices = policy, parameters, choices
		self.versions = [Version(dict(values), set(values), at, True)]
		self.deleted = False

	@property
	def values(self):
		return self.versions[-1].values

	def set_by_server(self, values, at, content):
		"""Somebody in the Desk, or the server's own arithmetic, sets values."""
		changed = {name for name, value in values.items() if self.values.get(name) != value}
		if changed:
			self.versions.append(Version({**self.values, **values}, changed, at, content))

	def later(self, base):
		return self.versions[base:]

	def is_stale(self, base):
		return any(version.content for version in self.later(base))

	def edit_time(self, name, base):
		return [version.at for version in self.later(base) if name in version.changed][-1]

	# --- what a device sends

	def create(self, values):
		if self.policy == "server_only":
			return Answer("permission_denied")
		if self.deleted:
			return Answer("deleted")
		other = {name for name, value in values.items() if self.values.get(name) != value}
		if other:
			return Answer("conflict", other)
		return Answer("duplicate")

	def delete(self, base, at):
		if base > len(self.versions):
			return Answer("base_version_ahead")
		if self.deleted:
			return Answer("duplicate")
		if self.policy == "server_only":
			return Answer("permission_denied")
		if not self.may_delete(base, at):
			return Answer("conflict")
		self.versions.append(Version(self.values, set(), at, True))
		self.deleted = True
		return Answer("apply")

	def may_delete(self, base, at):
		if self.policy == "immutable":
			return False
		if self.policy == "draft_then_immutable":
			return self.is_draft()
		if self.policy in ("manual", "rebase", "server_wins"):
			return not self.is_stale(base)
		if self.policy == "last_write_wins" and self.is_stale(base):
			edits = [version.at for version in self.later(base) if version.content]
			return at is not None and at > max(edits)
		return True

	def is_draft(self):
		return self.values.get(self.parameters["field"]) in self.parameters["draft"]

	def update(self, wanted, base, at, now, correction):
		if base > len(self.versions):
			return Answer("base_version_ahead")
		if self.deleted:
			return Answer("deleted")
		free, clashing = self.split(wanted, base)
		settled = self.policy == "draft_then_immutable" and not (self.is_draft() or correction)
		again = set() if settled else self.again(wanted, base, at)
		answer = Answer("apply")
		if free or clashing:
			answer = self.judge(free, clashing, base, at, correction)
		if answer.kind == "apply":
			winners = {name: value for name, value in clashing.items() if answer.lost[name] == "server"}
			self.set_by_device({**free, **winners}, again, at or now)
		return answer

	def set_by_device(self, values, again, at):
		changed = {*values, *again}
		if changed:
			self.versions.append(Version({**self.values, **values}, changed, at, True))

	def again(self, wanted, base, at):
		"""Fields that somebody had set to the same value, by an earlier clock, since the base version."""
		rule = self.parameters.get("otherwise", self.policy)
		if at is None or rule not in ("last_write_wins", "draft_then_immutable"):
			return set()
		known = self.versions[base - 1].values
		return {
			name
			for name, value in wanted.items()
			if value == self.values.get(name) != known.get(name)
			and any(name in version.changed for version in self.later(base))
			and at > self.edit_time(name, base)
		}

	def split(self, wanted, base):
		"""What nobody else touched since the base version, and what somebody did."""
		known = self.versions[base - 1].values
		free, clashing = {}, {}
		for name, value in wanted.items():
			if value == self.values.get(name):
				continue
			if not any(name in version.changed for version in self.later(base)):
				free[name] = value
			elif value != known.get(name):
				clashing[name] = value
		return free, clashing

	def judge(self, free, clashing, base, at, correction):
		everything = {*free, *clashing}
		if self.policy == "server_only":
			return Answer("permission_denied")
		if self.policy == "immutable":
			return Answer("conflict", everything)
		if self.policy == "draft_then_immutable" and not (self.is_draft() or correction):
			return Answer("conflict", everything)
		if self.policy in ("manual", "rebase") and self.is_stale(base):
			return Answer("conflict", everything)
		losers = {name: self.loser(name, value, base, at) for name, value in clashing.items()}
		open_fields = {name for name, side in losers.items() if side is None}
		if open_fields:
			return Answer("conflict", open_fields)
		return Answer("apply", lost=losers)

	def loser(self, name, value, base, at):
		"""The side that loses a clash; None when a person has to say."""
		rule = self.choices.get(name) or self.policy
		if rule == "terminal_value_wins":
			terminal = self.parameters["value"]
			if name == self.parameters["field"] and terminal in (value, self.values.get(name)):
				return "server" if value == terminal else "client"
			rule = self.parameters.get("otherwise", "merge")
		if rule == "client_wins":
			return "server"
		if rule == "server_wins":
			return "client"
		if rule in ("last_write_wins", "draft_then_immutable"):
			newer = at is not None and at > self.edit_time(name, base)
			return "server" if newer else "client"
		return None
