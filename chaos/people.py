"""What people do beside syncing: in the Desk, with memberships, and time that passes."""

import time
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chaos import households
from chaos.caller import Caller
from chaos.journal import Write
from chaos.line import Answer, Lost
from chaos.office import ERRANDS
from chaos.plan import Space
from chaos.work import ACCOUNT, CATEGORY, TRANSACTION

if TYPE_CHECKING:
	from chaos.lab import Lab
	from chaos.run import Run

METHOD = "/api/method/hisabi."
RESOLVE = "/api/method/hisabi_sync.api.conflicts.resolve"
# Fields that people in the Desk edit; `color` is edited on devices too.
DESK_FIELDS = {ACCOUNT: ("icon", "color"), CATEGORY: ("icon", "color"), TRANSACTION: ("note",)}
SHARES = 3  # people at the same time


class People:
	"""Carries out a share of the plan's chores, one after the other; a chore that comes late is done late."""

	def __init__(self, lab: "Lab", run: "Run", share: int) -> None:
		self.lab, self.run, self.share = lab, run, share

	def work(self) -> None:
		"""Do the chores of the plan, each at its time."""
		for event in self.lab.plan.chores[self.share :: SHARES]:
			while not self.lab.closing and self.lab.journal.now() < event.at:
				time.sleep(0.05)
			if self.lab.closing:
				return
			space = self._space(Random(event.seed))
			if space and CHORES[event.name](self, Random(event.seed), space):
				self.lab.shares.did(event.name)
		self._rest()

	def _rest(self) -> None:
		"""What nobody has come to yet, when the plan is through."""
		tries = 0
		while not self.lab.closing:
			due, tries = self.lab.shares.due(ERRANDS), tries + 1
			for name in due[self.share :: SHARES]:
				rng = Random(f"{self.lab.plan.seed} {self.share} {tries}")
				space = self._space(rng)
				if space and ERRANDS[name](self, rng, space):
					self.lab.shares.did(name)
			time.sleep(0.5)

	def _space(self, rng: Random) -> Space | None:
		keys = self.run.spaces()[-4:]
		key = rng.choice(keys) if keys else None
		return next((space for space in self.lab.plan.spaces if space.key == key), None)

	# --- the Desk

	def edit(self, rng: Random, space: Space) -> None:
		"""Open a document in the Desk, change a field and save it, unless somebody else did so meanwhile."""
		desk, path, key = self._document(rng, space)
		if desk is None or path is None or key is None:
			return
		opened = desk.insist(path, verb="GET", sure=True)
		if opened.status != 200:
			return
		name = rng.choice(DESK_FIELDS[key[0]])
		values = {name: f"desk.{rng.getrandbits(32):x}"}
		write = Write(space.key, key, values, "the Desk", self.lab.journal.now())
		self._save(desk, path, write, {**values, "modified": opened.body["data"]["modified"]})

	def delete(self, rng: Random, space: Space) -> None:
		"""Delete a document in the Desk."""
		desk, path, key = self._document(rng, space, (TRANSACTION, CATEGORY))
		if desk and path and key:
			write = Write(space.key, key, {}, "the Desk", self.lab.journal.now(), deletes=True)
			self._save(desk, path, write, None, "DELETE")

	def _document(
		self, rng: Random, space: Space, kinds: Sequence[str] = tuple(DESK_FIELDS)
	) -> tuple[Caller, str, tuple[str, str]] | tuple[None, None, None]:
		kind = rng.choice(kinds)
		query = f"SELECT name, client_id FROM `tab{kind}` WHERE wallet_id = %s AND is_deleted = 0"  # noqa: S608
		rows = sorted(self.lab.query(query, (space.key,)))
		if not rows:
			return None, None, None
		name, client_id = rng.choice(rows)
		return (
			self.lab.desk(rng.random()),
			f"/api/resource/{quote(kind)}/{quote(name, safe='')}",
			(kind, client_id),
		)

	def _save(
		self, desk: Caller, path: str, write: Write, body: dict[str, Any] | None, verb: str = "PUT"
	) -> None:
		"""One try over a good line. Without an answer, the lab cannot know whether it was saved."""
		self.lab.journal.writing(write)
		try:
			answer = desk.call(path, body, write.space, verb, sure=True)
		except Lost:
			return
		if answer.status < 300:
			data = answer.body.get("data")
			self.lab.journal.written(write, data.get("doc_version") if isinstance(data, dict) else None)
		elif answer.status < 500:
			self.lab.journal.unwrite(write)

	def resolve(self, rng: Random, space: Space) -> None:
		"""Somebody settles a conflict of the space."""
		query = """SELECT c.name FROM `tabSync Conflict` c JOIN `tabSync Space` s ON s.name = c.space
			WHERE s.space_key = %s AND c.status = 'Open' ORDER BY c.creation LIMIT 5"""
		for (name,) in self.lab.query(query, (space.key,)):
			choice = rng.choice(("accept_client", "accept_server"))
			self.lab.desk(rng.random()).insist(RESOLVE, {"conflict_id": name, "resolution": choice})

	# --- members

	def remove(self, rng: Random, space: Space) -> None:
		"""The owner removes somebody, and after a while lets them in again."""
		number, role = rng.choice(space.members)
		with self.lab.memberships[space.key, number]:
			owner = households.person(self.lab, space.owner, rng.random())
			if self._change(owner, "member_remove", space, number).status != 200:
				return
			self.lab.journal.stands(space.key, number, "out")
			time.sleep(2 * rng.random())
			self.lab.journal.stands(space.key, number, "out", over=True)
			self.lab.journal.stands(space.key, number, "reads", over=True)
			households.invite(self.lab, space, owner, number, role)

	def demote(self, rng: Random, space: Space) -> None:
		"""A member may only read, and after a while write again."""
		number, role = rng.choice([member for member in space.members if member[1] == "member"])
		with self.lab.memberships[space.key, number]:
			owner = households.person(self.lab, space.owner, rng.random())
			if self._change(owner, "member_update", space, number, role="viewer").status != 200:
				return
			self.lab.journal.stands(space.key, number, "reads")
			time.sleep(2 * rng.random())
			self.lab.journal.stands(space.key, number, "reads", over=True)
			self._change(owner, "member_update", space, number, role=role)

	def _change(self, owner: Caller, method: str, space: Space, number: int, **values: Any) -> Answer:
		"""Over a good line: a late copy of what was said earlier would undo what was said last."""
		body = {"wallet_id": space.key, "user": self.lab.people[number][0], **values}
		return owner.insist(METHOD + method, body, space.key, sure=True)

	def trespass(self, rng: Random, space: Space) -> None:
		"""A stranger syncs as if they were a member."""
		households.stranger(self.lab, space, rng).exchange()

	# --- time

	def year_passes(self, rng: Random, space: Space) -> None:
		"""What was deleted in a space was deleted long ago: the keeper may collect it."""
		self.lab.query(
			"""UPDATE `tabSync Record` r JOIN `tabSync Space` s ON s.name = r.space
			SET r.deleted_at = r.deleted_at - INTERVAL 400 DAY
			WHERE s.space_key = %s AND r.deleted_at > NOW() - INTERVAL 300 DAY""",
			(space.key,),
		)

	def forget(self, rng: Random, space: Space) -> None:
		"""The ledger of a device that is gone is so old that log clearing takes it."""
		gone = self.run.take_gone(space.key)
		if gone:
			self.lab.age(gone)


# Name -> what happens, in one of the spaces that are busy.
CHORES = {
	"edit": People.edit,
	"edit again": People.edit,
	"edit once more": People.edit,
	"delete": People.delete,
	"resolve": People.resolve,
	"remove": People.remove,
	"demote": People.demote,
	"trespass": People.trespass,
	"year passes": People.year_passes,
	"forget": People.forget,
	**ERRANDS,
}
