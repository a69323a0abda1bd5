"""Apps of the other contracts: they create records under ids of their own over bad lines, and send much of it twice."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from types import ModuleType
from typing import TYPE_CHECKING, Any

from chaos.caller import Caller
from chaos.violations import Violation
from hisabi_sync.engine.identity import device_tokens

if TYPE_CHECKING:
	from chaos.lab import Lab

FARM, FAMILY = "chaos-farm", "chaos-family"
DEVICE = "chaos-app"
AGAIN = 0.4  # share of requests that are sent once more after their answer


@dataclass(frozen=True)
class Contract:
	"""`body(ids, number, since)` of a call that creates records; `accepted(body, ids)` are the ids that it says are there.

	`table` and `column` say where the records lie.
	"""

	path: str
	body: Any
	accepted: Any
	table: str
	column: str


def _mobile(ids: list[str], number: int, since: str | None) -> dict[str, Any]:
	made = [
		{
			"client_temp_id": key,
			"resource_type": "meter",
			"action": "create",
			"payload": {"code": key},
			"client_version": 1,
		}
		for key in ids
	]
	return {"device_id": DEVICE, "items": made}


def _batch(ids: list[str], number: int, since: str | None) -> dict[str, Any]:
	upserts = {"observations": [{"observationId": key} for key in ids]}
	empty: dict[str, list[Any]] = {"recommendations": [], "playbookPatches": []}
	about = {"syncId": f"sync-{number}", "device": {"deviceId": DEVICE}, "farmId": FARM}
	return {**about, "lastKnownServerCursor": None, "upserts": {**upserts, **empty}}


def _family(ids: list[str], number: int, since: str | None) -> dict[str, Any]:
	common = {"entity_type": "task", "action": "create", "version": 1}
	common["client_timestamp"] = "2026-01-10T10:00:00Z"
	changes = [{**common, "entity_id": key, "data": {"title": key, "status": "open"}} for key in ids]
	return {"last_sync_at": since, "changes": changes, "device_id": DEVICE}


def _ok_items(body: Mapping[str, Any], ids: list[str]) -> set[str]:
	return {row["client_temp_id"] for row in body["results"] if row["status"] == "ok"}


def _listed(body: Mapping[str, Any], ids: list[str]) -> set[str]:
	return {row["id"] for row in body["accepted"]}


def _not_refused(body: Mapping[str, Any], ids: list[str]) -> set[str]:
	return set(ids) - {row["entity_id"] for name in ("conflicts", "errors") for row in body[name]}


CONTRACTS = {
	"mobile": Contract("/api/v1/mobile/sync/push", _mobile, _ok_items, "Field Meter", "code"),
	"batch": Contract("/v1/sync/batch", _batch, _listed, "Field Observation", "client_id"),
	"delta": Contract("/sync/delta", _family, _not_refused, "Family Task", "client_id"),
}


class App(Caller):
	"""One app of one contract for the whole run. `told` are ids that it was told are there."""

	def __init__(self, lab: "Lab", name: str, credential: dict[str, str]) -> None:
		super().__init__(lab, name, 0, credential, Random(f"{lab.plan.seed} {name}"))
		self.contract = CONTRACTS[name]
		self.sent: set[str] = set()
		self.told: set[str] = set()
		self.count = 0
		self.since: str | None = None

	def work(self) -> None:
		"""Sync again and again until the lab closes."""
		while not self.lab.closing:
			self.sync()
			time.sleep(self.rng.random() * 2 * self.lab.nap)

	def sync(self) -> None:
		"""Send a few changes; some calls are sent twice, and have to be answered alike."""
		self.count += 1
		ids = [f"{self.name}-{self.lab.plan.seed}-{self.count}-{n}" for n in range(self.rng.randint(1, 4))]
		self.sent |= set(ids)
		body = self.contract.body(ids, self.count, self.since)
		first = self._send(body, ids)
		if first is not None and self.rng.random() < AGAIN:
			self._compare(ids, first, self._send(body, ids))

	def _send(self, body: Mapping[str, Any], ids: list[str]) -> set[str] | None:
		"""The ids that the server says are there, of those that were sent; None when it refuses."""
		headers = {"Idempotency-Key": body["syncId"]} if "syncId" in body else {}
		self.credential = {**self.credential, **headers}
		self.lab.journal.note("app", contract=self.name, ids=ids)
		answer = self.insist(self.contract.path, body)
		if answer.status != 200:
			self._tell("kept", f"{self.name}: {answer.status} {answer.code}: {answer.text[:200]}", ids)
			return None
		there = self.contract.accepted(answer.body, ids) & set(ids)
		self.told |= there
		self.since = answer.body.get("last_sync_at")
		return there

	def _compare(self, ids: list[str], first: set[str], again: set[str] | None) -> None:
		if first != again:
			self._tell("same_answer", f"{self.name}: first {sorted(first)}, then {again}", ids)

	def _tell(self, promise: str, says: str, ids: Iterable[str]) -> None:
		keys = tuple((self.contract.table, key) for key in ids)
		self.lab.tell(Violation(promise, says, self.name, keys))

	def finish(self) -> None:
		"""What was said to be there is there, and nothing is there twice."""
		query = f"SELECT `{self.contract.column}` FROM `tab{self.contract.table}`"  # noqa: S608
		held = Counter(row[0] for row in self.lab.query(query))
		for promise, ids in check(self.sent, self.told, held).items():
			if ids:
				self._tell(promise, f"{self.name}: {sorted(ids)}", sorted(ids))


def check(sent: set[str], told: set[str], held: Mapping[str, int]) -> dict[str, set[str]]:
	"""{promise: ids that break it}. Pure."""
	return {
		"kept": {key for key in told if not held[key]},
		"exactly_once": {key for key in sent if held[key] > 1},
		"convergence": {key for key in sent if held[key] and key not in told},
	}


def prepare(frappe: ModuleType, user: str) -> dict[str, dict[str, str]]:
	"""The farm and the family, and headers for each contract's app."""
	from hisabi_sync.api.protocol import scopes
	from hisabi_sync.demo import family as demo
	from hisabi_sync.engine.sharing import spaces
	from hisabi_sync.hisabi_farm import farms

	spaces.set_member(farms.ensure(FARM), user, "owner")
	members = [{"user": user, "role": "owner"}]
	frappe.get_doc({"doctype": "Family", "family_id": FAMILY, "title": "Chaos", "members": members}).insert()
	_, token = device_tokens.register(
		user, DEVICE, "android", "App", (scopes.MOBILE, scopes.BATCH, scopes.EDIT_PLAYBOOKS)
	)
	signed = {"Authorization": f"Bearer {demo.token(user, FAMILY, demo._settings())}"}
	return {"mobile": {"X-Device-Token": token}, "batch": {"X-Device-Token": token}, "delta": signed}
