"""Founding spaces with their members, and comparing the devices of one when all is quiet."""

from collections.abc import Iterable
from random import Random
from typing import TYPE_CHECKING

from chaos import replicas
from chaos.caller import Caller
from chaos.devices import Device
from chaos.plan import PEOPLE, Life, Space

if TYPE_CHECKING:
	from chaos.lab import Lab

METHOD = "/api/method/hisabi."


def person(lab: "Lab", number: int, seed: float = 0) -> Caller:
	"""A person who calls without a device."""
	return Caller(lab, f"p{number}", number, lab.key_of(number), Random(f"{lab.plan.seed} {number} {seed}"))


def found(lab: "Lab", space: Space) -> None:
	"""The owner makes the wallet and invites the members."""
	owner = person(lab, space.owner, space.number)
	owner.insist(METHOD + "wallet_create", {"client_id": space.key, "wallet_name": f"Wallet {space.number}"})
	for number in set(range(PEOPLE)) - set(space.people):
		lab.journal.stands(space.key, number, "out")
	for number, role in space.members:
		invite(lab, space, owner, number, role)


def invite(lab: "Lab", space: Space, owner: Caller, number: int, role: str) -> bool:
	"""Make somebody a member; whether that went well."""
	body = {"wallet_id": space.key, "role": role}
	made = owner.insist(METHOD + "invite_create", body, space.key)
	if made.status != 200:
		return False
	code = {"code": made.message["code"]}
	accepted = person(lab, number).insist(METHOD + "invite_accept", code, space.key).status == 200
	if accepted and role == "viewer":
		lab.journal.stands(space.key, number, "reads")
	return accepted


def stranger(lab: "Lab", space: Space, rng: Random) -> Device:
	"""A device of a user who is no member of the space."""
	number = rng.choice(sorted(set(range(PEOPLE)) - set(space.people)))
	life = Life(20_000_000 + rng.getrandbits(20), space, number, 0, 0, "vanishes", rng.getrandbits(32))
	device = Device(lab, life)
	lab.enrol(device)
	device.register()
	return device


def another(lab: "Lab", space: Space, rng: Random) -> Device:
	"""One more device of the owner, whom nobody removes."""
	number = 30_000_000 + rng.getrandbits(20)
	device = Device(lab, Life(number, space, space.owner, 0, 0, "retires", rng.getrandbits(32)))
	lab.enrol(device)
	device.register()
	return device


def auditor(lab: "Lab", space: Space) -> Device:
	"""A new device of the owner that has seen nothing yet."""
	device = Device(lab, Life(10_000_000 + space.number, space, space.owner, 0, 0, "stays", space.number))
	device.lab.enrol(device)
	device.register()
	return device


def compare(lab: "Lab", judge: Device, devices: Iterable[Device]) -> None:
	"""Every device holds what a new one gets, and that is what the tables hold."""
	lab.tell_all(replicas.against_tables(lab.inspect(judge.space), judge.replica))
	for device in devices:
		lab.tell_all(replicas.differing(device.name, device.space, judge.replica, device.replica))
