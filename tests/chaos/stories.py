"""Hand-made histories for the checks of promises: ops, what was said of them, and what a server holds."""

from chaos.evidence import Evidence
from chaos.journal import Op, Said
from chaos.look import Conflict, Entry, Held, Row
from chaos.promises import check
from chaos.work import ACCOUNT, CATEGORY, TRANSACTION

SPACE = "w"
CASH, FOOD, LUNCH = (ACCOUNT, "w.cash"), (CATEGORY, "w.food"), (TRANSACTION, "w.lunch")
MORE = {ACCOUNT: {"opening_balance": "0", "current_balance": "0", "group_id": None}}


class Story:
	"""A space in which all is well, until a test spoils something."""

	def __init__(self):
		self.ops, self.held, self.writes = {}, Held(SPACE), []

	def record(self, key, version=1, **values):
		"""A live record as the server holds it."""
		self.held.counter += 1
		values = {"color": None, "icon": None, "note": None, **MORE.get(key[0], {}), **values}
		self.held.records[key] = row = Row(version, self.held.counter, False, values, version)
		return row

	def op(self, op_id, key, operation="create", base=None, **payload):
		self.ops[op_id] = op = Op(op_id, SPACE, key, operation, base, payload, "d1", 1, sent=[1.0])
		return op

	def say(self, op_id, status="accepted", version=1, **more):
		"""The server answers, and keeps the op in its ledger with the first verdict."""
		op = self.ops[op_id]
		op.said.append(Said(2.0 + len(op.said), status, version, **more))
		if not any(entry.op_id == op_id for entry in self.held.ledger):
			self.held.ledger.append(Entry(op_id, status, version, op.key, op.operation))

	def done(self, op_id, key, operation="create", base=None, version=1, **payload):
		"""An op that was sent and accepted."""
		op = self.op(op_id, key, operation, base, **payload)
		self.say(op_id, version=version)
		return op

	def conflict(self, op_id, name, fields, client, server):
		op = self.ops[op_id]
		self.held.conflicts[name] = Conflict(op_id, fields, client, server, "Open", op.key, {}, None)

	def broken(self):
		"""Names of the promises that are broken."""
		return {violation.promise for violation in self.violations()}

	def violations(self):
		return list(check(Evidence(self.ops, self.writes, self.held)))


def quiet():
	"""A category that was made, renamed once, and nothing else."""
	story = Story()
	story.done("op-1", FOOD, color="red")
	story.done("op-2", FOOD, "update", 1, 2, color="blue")
	story.record(FOOD, 2, color="blue")
	return story
