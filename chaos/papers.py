"""Sellers and an office that submit, cancel and amend the same documents, in each other's way and over bad lines.

Sellers use the site contract and send much of it twice; the office works in the Desk.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chaos import steps
from chaos.caller import Caller
from chaos.line import Lost
from chaos.steps import ACTED, Held, Step
from chaos.violations import Violation
from hisabi_sync.engine.identity import device_tokens

if TYPE_CHECKING:
	from chaos.lab import Lab

PAPER, TENANT = "Chaos Paper", "chaos-papers"
PUSH, PULL = "/api/offline/v1/push", "/api/offline/v1/pull"
RESOURCE = f"/api/resource/{quote(PAPER)}/"
SELLERS = 2
AGAIN = 0.4  # share of pushes that are sent once more after their answer
DRAFT, SUBMITTED, CANCELLED = range(3)


@dataclass
class Book:
	"""What all know of the papers: {id: (version, docstatus)}; and all steps that were taken."""

	papers: dict[str, tuple[int, int]] = field(default_factory=dict)
	steps: list[Step] = field(default_factory=list)
	lock: threading.Lock = field(default_factory=threading.Lock)

	def pick(self, rng: Random, docstatus: int) -> tuple[str, int] | None:
		"""(id, version) of a paper in this state, one of the latest, or None."""
		with self.lock:
			found = [(key, version) for key, (version, at) in self.papers.items() if at == docstatus][-6:]
		return rng.choice(found) if found else None

	def learn(self, made: Iterable[Step]) -> None:
		"""Take in what the server said of some steps."""
		with self.lock:
			for step in made:
				if step.version and step.docstatus is not None and not step.repeated:
					self.papers[step.key] = step.version, step.docstatus
				if step.old and step.status != "conflict":  # another one may have been first
					self.papers.pop(step.old, None)


# --- what sellers send: each gives the steps of one push


def _make(seller: "Seller") -> list[Step]:
	return [seller.step("create", seller.new_key())]


def _make_and_submit(seller: "Seller") -> list[Step]:
	return [seller.step("create", seller.new_key(), then="submit")]


def _whole_life(seller: "Seller") -> list[Step]:
	"""Everything in one push: made, submitted, cancelled, amended."""
	key = seller.new_key()
	made = [seller.step("create", key), seller.step("submit", key, 1), seller.step("cancel", key, 2)]
	return [*made, seller.step("amend", seller.new_key(), 3, old=key)]


def _act(name: str, docstatus: int) -> Any:
	def deed(seller: "Seller") -> list[Step]:
		found = seller.book.pick(seller.rng, docstatus)
		return [seller.step(name, *found)] if found else []

	return deed


def _amend(seller: "Seller") -> list[Step]:
	found = seller.book.pick(seller.rng, CANCELLED)
	return [seller.step("amend", seller.new_key(), found[1], old=found[0])] if found else []


DEEDS = {
	"make a paper": _make,
	"make and submit a paper": _make_and_submit,
	"a paper's whole life": _whole_life,
	"edit a paper": _act("update", DRAFT),
	"submit a paper": _act("submit", DRAFT),
	"cancel a paper": _act("cancel", SUBMITTED),
	"amend a paper": _amend,
}


def item(step: Step) -> dict[str, Any]:
	"""The step as the wire has it."""
	sent: dict[str, Any] = {"op_id": step.op_id, "type": PAPER, "id": step.key, "op": step.what}
	sent |= {} if step.base is None else {"base_version": step.base}
	if step.what in ("create", "update"):
		sent["values"] = {"note": step.op_id}
	else:
		sent |= {"op": "action", "action": step.what, "id": step.old or step.key}
	if step.old:
		sent |= {"args": {"id": step.key}, "values": {"note": step.op_id}}
	return sent | ({"then": [step.then]} if step.then else {})


class Seller(Caller):
	"""One device of the site contract for the whole run."""

	def __init__(self, lab: "Lab", number: int, credential: dict[str, str], book: Book) -> None:
		super().__init__(lab, f"seller-{number}", 0, credential, Random(f"{lab.plan.seed} seller {number}"))
		self.book, self.count = book, 0

	def new_key(self) -> str:
		"""A client id that nobody has."""
		self.count += 1
		return f"{self.name}-{self.lab.plan.seed}-{self.count}"

	def step(
		self, what: str, key: str, base: int | None = None, then: str | None = None, old: str | None = None
	) -> Step:
		"""A step under an op id of its own."""
		self.count += 1
		return Step(f"{self.name}-op-{self.count}", what, key, base, then, old)

	def work(self) -> None:
		"""Send one push after the other until the lab closes."""
		while not self.lab.closing:
			name = self.rng.choice(self.lab.shares.due(DEEDS) or sorted(DEEDS))
			made = DEEDS[name](self)
			if not made:  # no paper is in that state: there will be a draft
				name, made = "make a paper", _make(self)
			if self.send(made):
				self.lab.shares.did(name)
			time.sleep(self.rng.random() * 2 * self.lab.nap)

	def send(self, made: list[Step]) -> bool:
		"""Send steps until they are answered, now and then once more; whether all were taken."""
		self.lab.journal.note("papers", items=[item(step) for step in made])
		answer = self.insist(PUSH, {"changes": [item(step) for step in made]})
		if answer.status != 200:
			self._tell("kept", f"{answer.status} {answer.code}: {answer.text[:200]}", made)
			return False
		for step, result in zip(made, answer.body["results"], strict=True):
			_answer(step, result)
		self.book.learn(made)
		with self.book.lock:
			self.book.steps += made
		if self.rng.random() < AGAIN:
			self._compare(made)
		return all(step.status == ACTED for step in made)

	def _compare(self, made: list[Step]) -> None:
		"""The same push once more: what was applied is answered as before."""
		answer = self.insist(PUSH, {"changes": [item(step) for step in made]})
		for step, result in zip(made, answer.body.get("results", ()), strict=False):
			said = result["status"], result.get("version")
			if step.status != "error" and said != (step.status, step.version):
				self._tell("same_answer", f"first {step.status} {step.version}, then {said}", [step])

	def finish(self) -> None:
		"""What a device that starts over pulls is what the server holds."""
		pulled: dict[str, tuple[int, int]] = {}
		cursor, more = None, True
		while more:
			answer = self.insist(PULL, {"types": [PAPER], **({"cursor": cursor} if cursor else {})})
			pulled |= {row["id"]: (row["version"], row.get("docstatus")) for row in answer.body["changes"]}
			cursor, more = answer.body["cursor"], answer.body["has_more"]
		held = {row[0]: (row[3], row[2]) for row in self.lab.query(_PAPERS, (TENANT,))}
		for key in pulled.keys() | held.keys():
			if pulled.get(key) != held.get(key):
				says = f"pulled {pulled.get(key)}, the server holds {held.get(key)}"
				self.lab.tell(Violation("convergence", f"{self.name}: {says}", TENANT, ((PAPER, key),)))

	def _tell(self, promise: str, says: str, made: Iterable[Step]) -> None:
		keys = tuple((PAPER, step.key) for step in made)
		self.lab.tell(Violation(promise, f"{self.name}: {says}", TENANT, keys))


def _answer(step: Step, result: Mapping[str, Any]) -> None:
	step.status, step.version = result["status"], result.get("version")
	step.repeated, step.code = bool(result.get("already_applied")), result.get("code")
	record = result.get("record") or {}
	step.docstatus = record.get("docstatus", DRAFT if step.what == "create" and step.version else None)


class Office:
	"""Somebody in the Desk who submits and cancels the same papers; `finish` looks at all of them."""

	def __init__(self, lab: "Lab", book: Book) -> None:
		self.lab, self.book, self.rng = lab, book, Random(f"{lab.plan.seed} office")

	def work(self) -> None:
		"""Take a step now and then until the lab closes."""
		while not self.lab.closing:
			time.sleep(1 + self.rng.random() * 10 * self.lab.nap)
			rows = self.lab.query(_PAPERS, (TENANT,))
			if rows:
				self._act(*self.rng.choice(sorted(rows)[-20:]))

	def _act(self, key: str, name: str, docstatus: int, *_: Any) -> None:
		"""Over a good line; without an answer nobody knows whether it was done."""
		what = {DRAFT: "submit", SUBMITTED: "cancel"}.get(docstatus)
		if what is None:
			return
		step = Step(f"office-{name}-{what}", what, key, by_office=True)
		try:
			body = {"docstatus": docstatus + 1}
			answer = self.lab.desk(self.rng.random()).call(
				RESOURCE + quote(name), body, verb="PUT", sure=True
			)
		except Lost:
			step.status = steps.UNKNOWN
		else:
			step.status = ACTED if answer.status == 200 else "error"
			step.status = steps.UNKNOWN if answer.status >= 500 else step.status
		with self.book.lock:
			self.book.steps.append(step)

	def finish(self) -> None:
		"""Every action was taken once, and the documents show it."""
		held = {row[0]: Held(*row[2:]) for row in self.lab.query(_PAPERS, (TENANT,))}
		count = self.lab.query(f"SELECT COUNT(*) FROM `tab{PAPER}` WHERE tenant = %s", (TENANT,))  # noqa: S608
		for says, key in steps.check(self.book.steps, held, count[0][0] if count else None):
			self.lab.tell(Violation("actions", says, TENANT, ((PAPER, key),)))


_PAPERS = f"""SELECT r.client_id, d.name, d.docstatus, r.doc_version,
	(SELECT COUNT(*) FROM `tab{PAPER}` a WHERE a.amended_from = d.name)
	FROM `tab{PAPER}` d JOIN `tabSync Record` r ON r.document_name = d.name AND r.document_type = '{PAPER}'
	AND r.deleted_at IS NULL WHERE d.tenant = %s"""  # noqa: S608


def actors(lab: "Lab", credentials: Iterable[dict[str, str]]) -> list[Seller | Office]:
	"""The sellers and, last, the office."""
	book = Book()
	return [*(Seller(lab, n, one, book) for n, one in enumerate(credentials)), Office(lab, book)]


def prepare(frappe: ModuleType, users: Iterable[str]) -> list[dict[str, str]]:
	"""The DocType, its entity type and tenant; headers of each seller."""
	from hisabi_sync import tenants
	from hisabi_sync.api.protocol import scopes
	from hisabi_sync.engine.sharing import spaces

	rights = {name: 1 for name in ("read", "write", "create", "submit", "cancel", "amend")}
	fields = [{"fieldname": n, "fieldtype": "Data", "label": n.title()} for n in ("tenant", "note")]
	roles = [{"role": role, **rights} for role in ("Hisabi User", "System Manager")]
	doctype = {"name": PAPER, "module": "Desk", "custom": 1, "is_submittable": 1, "autoname": "hash"}
	frappe.get_doc({"doctype": "DocType", **doctype, "fields": fields, "permissions": roles}).insert()
	actions = [{"action": name} for name in ("submit", "cancel", "amend")]
	place = {"space_type": tenants.SPACE_TYPE, "space_path": "tenant", "actions": actions}
	frappe.get_doc({"doctype": "Sync Entity", "entity_type": PAPER, "document_type": PAPER, **place}).insert()
	space, made = tenants.ensure(TENANT), []
	for number, user in enumerate(users):
		spaces.set_member(space, user, "member")
		_, token = device_tokens.register(user, f"paper-{number}", "android", "App", (scopes.SITE,))
		made.append({"X-Device-Token": token})
	return made
