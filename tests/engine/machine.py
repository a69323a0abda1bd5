"""A household as a Hypothesis state machine: phones, a Desk user, a bad network, members who come and go."""

import frappe
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from hisabi_sync.engine import garbage
from hisabi_sync.hisabi_wallet import members
from tests.engine import inside, phones, world

COLOURS = st.sampled_from(["red", "green", "blue"])
AMOUNTS = st.integers(1, 5)
WHICH = st.integers(0, 50)
LIMITS = st.integers(1, 7)
PHONES = st.integers(0, 3)


class Household(RuleBasedStateMachine):
	"""Promises 1 to 4, whatever happens in whatever order. `users` is set by the test."""

	users = ()

	@initialize()
	def move_in(self):
		frappe.db.rollback()
		frappe.set_user("Administrator")
		self.wallet = inside.make_wallet(self.users[0])
		for user in self.users[1:]:
			members.ensure(self.wallet, user, "member")
		frappe.db.commit()
		self.world = world.World(self.wallet)
		owners = (self.users[0], *self.users)
		self.phones = [phones.Phone(n, user, self.wallet) for n, user in enumerate(owners)]
		self.furnish(self.phones[0])
		self.seen, self.counter = self.world.look(), self.world.counter()

	def furnish(self, phone):
		"""Some records of each kind, which two of the phones hold already."""
		for number in range(2):
			phone.write("Hisabi Bucket", title="b", bucket_name="b")
			phone.write("Hisabi Account", account_name="A", account_type="cash", currency="SAR")
			phone.write("Hisabi Debt Request", debt_payload={"x": number})
		bucket, account = (phone.pending[n]["entity_id"] for n in (0, 1))
		rows = [{"bucket_id": bucket, "percentage": 1}]
		phone.write("Hisabi Bucket Template", title="t", template_items=rows)
		self.payment(phone, account, 3)
		assert {outcome.status for outcome in phone.send(phone.pending)} == {"accepted"}
		phone.settle(phone.pending)
		for other in self.phones[:3]:
			other.pull(7)

	def payment(self, phone, account, amount, client_id=None, **values):
		first = {"currency": "SAR", "date_time": "2026-03-01T10:00:00Z", "transaction_type": "expense"}
		given = {**({} if client_id else first), **values}
		phone.write("Hisabi Transaction", client_id, **given, amount=amount, account=account)

	def after_step(self, accepted=None):
		"""Compare the tables with what they held before the step."""
		now, counter = self.world.look(), self.world.counter()
		world.check_step(self.seen, now, self.counter, counter, accepted)
		self.seen, self.counter = now, counter

	def one_of(self, phone, kind, which):
		"""A record of a kind that the phone holds, or None."""
		held = phone.live(kind)
		return held[which % len(held)][1] if held else None

	# --- phones write

	@rule(n=PHONES, which=WHICH, colour=COLOURS, opening=AMOUNTS, known=st.booleans())
	def account(self, n, which, colour, opening, known):
		phone = self.phones[n]
		key = self.one_of(phone, "Hisabi Account", which) if known else None
		first = {} if key else {"account_name": "A", "account_type": "cash", "currency": "SAR"}
		phone.write("Hisabi Account", key, **first, color=colour, opening_balance=opening)

	@rule(n=PHONES, which=WHICH, icon=COLOURS)
	def icon(self, n, which, icon):
		key = self.one_of(self.phones[n], "Hisabi Account", which)
		if key:
			self.phones[n].write("Hisabi Account", key, icon=icon)

	@rule(n=PHONES, which=WHICH, amount=AMOUNTS, income=st.booleans(), known=st.booleans())
	def transaction(self, n, which, amount, income, known):
		phone = self.phones[n]
		account = self.one_of(phone, "Hisabi Account", which)
		key = self.one_of(phone, "Hisabi Transaction", which) if known else None
		if account:
			kind = "income" if income else "expense"
			self.payment(phone, account, amount, key, transaction_type=kind)

	@rule(n=PHONES, amount=AMOUNTS)
	def account_and_transaction_in_the_wrong_order(self, n, amount):
		phone = self.phones[n]
		account = phones.create("Hisabi Account", account_name="B", account_type="cash", currency="SAR")
		self.payment(phone, account["entity_id"], amount)
		phone.pending.append(account)

	@rule(n=PHONES, which=WHICH, key=st.sampled_from("xyz"), value=AMOUNTS)
	def debt_request(self, n, which, key, value):
		phone = self.phones[n]
		client_id = self.one_of(phone, "Hisabi Debt Request", which)
		held = phone.replica["Hisabi Debt Request", client_id][1]["debt_payload"] if client_id else {}
		phone.write("Hisabi Debt Request", client_id, debt_payload={**(held or {}), key: value})

	@rule(n=PHONES, which=WHICH, share=AMOUNTS)
	def bucket_template(self, n, which, share):
		phone = self.phones[n]
		bucket = self.one_of(phone, "Hisabi Bucket", which)
		if bucket is None:
			phone.write("Hisabi Bucket", title="b", bucket_name="b")
			return
		key = self.one_of(phone, "Hisabi Bucket Template", which)
		held = phone.replica["Hisabi Bucket Template", key][1]["template_items"] if key else []
		rows = [row for row in held if row["bucket_id"] != bucket]
		rows.append({"bucket_id": bucket, "percentage": share})
		phone.write("Hisabi Bucket Template", key, title="t", template_items=rows)

	@rule(n=PHONES, which=WHICH)
	def delete(self, n, which):
		phone = self.phones[n]
		kinds = [key for key in phone.live() if key[0] in world.TYPES]
		if kinds:
			phone.delete(*kinds[which % len(kinds)])

	# --- the network

	@rule(n=PHONES, count=st.integers(1, 8), lost=st.booleans(), atomic=st.sampled_from([False] * 4 + [True]))
	def send(self, n, count, lost, atomic):
		phone = self.phones[n]
		if phone.pending:
			self.deliver(phone, phone.pending[:count], lost, atomic)

	def deliver(self, phone, items, lost=False, atomic=False):
		"""A request reaches the server; its answer may be lost."""
		before = dict(phone.answers)
		outcomes = phone.send(items, atomic)
		self.after_step(applied(items, outcomes, before))
		if not lost and outcomes != "space_access_denied":
			phone.settle(items)
		return outcomes

	@rule(n=PHONES, which=WHICH, shuffle=st.randoms(use_true_random=False))
	def send_again(self, n, which, shuffle):
		"""Requests of long ago arrive once more, mixed and out of order."""
		phone = self.phones[n]
		if phone.sent:
			chosen = [item for request in phone.sent[-3:] for item in request]
			chosen += phone.sent[which % len(phone.sent)]
			shuffle.shuffle(chosen)
			self.deliver(phone, chosen[:10], lost=True)

	@rule(n=PHONES, limit=LIMITS, fate=st.sampled_from(["arrives", "arrives", "twice", "lost", "late"]))
	def page(self, n, limit, fate):
		phone = self.phones[n]
		page = phone.fetch(limit)
		if isinstance(page, str) or fate == "lost":
			return
		if fate == "late":
			phone.late.append(page)
			return
		for _ in range(2 if fate == "twice" else 1):
			phone.apply(page)

	@rule(n=PHONES, which=WHICH)
	def late_page(self, n, which):
		phone = self.phones[n]
		if phone.late:
			phone.apply(phone.late.pop(which % len(phone.late)))

	@rule(n=PHONES, limit=LIMITS)
	def pull(self, n, limit):
		self.phones[n].pull(limit)

	@rule(n=PHONES)
	def acknowledge(self, n):
		if self.phones[n].cursor:
			self.phones[n].acknowledge()

	# --- the Desk

	@rule(which=WHICH, colour=COLOURS, way=st.sampled_from(["save", "set", "delete"]))
	def desk(self, which, colour, way):
		keys = sorted(k for k, held in self.seen.items() if k[0] in world.TYPES and not held.deleted)
		if keys:
			key = keys[which % len(keys)]
			try:
				desk_edit(key[0], self.world.name_of(key), colour, way)
				frappe.db.commit()
			except frappe.ValidationError:  # a link points to it, or from it to what is gone
				frappe.db.rollback()
			self.after_step()

	@rule(colour=COLOURS)
	def new_in_the_desk(self, colour):
		doc = frappe.new_doc("Hisabi Account")
		doc.update({"wallet_id": self.wallet, "account_name": "D", "account_type": "cash", "currency": "SAR"})
		doc.color = colour
		doc.insert()
		frappe.db.commit()
		self.after_step()

	@rule(n=st.integers(1, 2), state=st.sampled_from(["removed", "viewer", "member", "member"]))
	def membership(self, n, state):
		role, status = ("member", "removed") if state == "removed" else (state, "active")
		members.ensure(self.wallet, self.users[n], role, status)
		frappe.db.commit()
		self.after_step()

	@rule()
	def collect_garbage(self):
		garbage.collect_space(self.world.space)
		self.after_step()

	@precondition(lambda self: any(phone.cursor for phone in self.phones))
	@rule(limit=LIMITS)
	def everybody_is_up_to_date_and_garbage_goes(self, limit):
		for phone in self.phones:
			if phone.pull(limit) is None:
				phone.acknowledge()
		garbage.collect_space(self.world.space)
		self.after_step()

	# --- the end

	def teardown(self):
		if not hasattr(self, "world"):
			return
		for phone in self.phones:
			while phone.pending:
				if isinstance(self.deliver(phone, phone.pending[:8]), str):
					phone.pending = []
		for phone in self.phones:
			for request in phone.sent[-3:]:
				self.deliver(phone, request, lost=True)
		self.compare()

	def compare(self):
		"""Every replica is the server's state, seen through its owner's rights."""
		truth = {key: held for key, held in self.seen.items() if not held.deleted}
		whole = phones.Phone(0, self.users[0], self.wallet)
		assert whole.pull(500) is None
		assert {k: v[0] for k, v in whole.replica.items()} == {k: h.version for k, h in truth.items()}
		for phone in self.phones:
			refused = phone.pull(1 + phone.number)
			active = members.active_role(self.wallet, phone.user) is not None
			assert (refused is None) == active
			wrong = differences(phone.replica, whole.replica if active else {})
			assert not wrong, f"{phone}: {wrong}"
		for name, (held, added) in self.world.balances().items():
			assert held == added, f"the balance of {name}"


DESK_FIELDS = {
	"Hisabi Account": "color",
	"Hisabi Bucket": "color",
	"Hisabi Transaction": "note",
	"Hisabi Debt Request": "from_phone",
	"Hisabi Bucket Template": "title",
}


def desk_edit(doctype, name, value, way):
	"""What a person or a job does to a document outside of any push."""
	doc = frappe.get_doc(doctype, name)
	if way == "delete":
		frappe.delete_doc(doctype, name)
	elif way == "set":
		doc.db_set(DESK_FIELDS[doctype], value)
	else:
		doc.set(DESK_FIELDS[doctype], value)
		doc.save()


def differences(held, expected):
	"""{record: (what the phone holds, what it should)} where they differ."""
	keys = {*held, *expected}
	return {k: (held.get(k), expected.get(k)) for k in keys if held.get(k) != expected.get(k)}


def applied(items, outcomes, before):
	"""{record: how many changes the answers say were applied by this request}."""
	counted = {}
	if not isinstance(outcomes, str):
		for item, outcome in zip(items, outcomes, strict=True):
			if outcome.status == "accepted" and not outcome.repeated and item["op_id"] not in before:
				key = (item["entity_type"], item["entity_id"])
				counted[key] = counted.get(key, 0) + 1
	return counted
