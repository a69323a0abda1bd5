"""Founding spaces with their members, and comparing the devices of one when all is quiet."""

from random import Random

from chaos import look
from chaos.caller import Caller
from chaos.devices import Device
from chaos.plan import Life
from chaos.promises import Violation

METHOD = "/api/method/hisabi."


def person(lab, number, seed=0):
	"""A person who calls without a device."""
	return Caller(lab, f"p{number}", number, lab.key_of(number), Random(f"{lab.plan.seed} {number} {seed}"))


def found(lab, space):
	"""The owner makes the wallet and invites the members."""
	owner = person(lab, space.owner, space.number)
	owner.insist(METHOD + "wallet_create", {"client_id": space.key, "wallet_name": f"Wallet {space.number}"})
	for number, role in space.members:
		invite(lab, space, owner, number, role)


def invite(lab, space, owner, number, role):
	"""Make somebody a member; whether that went well."""
	body = {"wallet_id": space.key, "role": role}
	made = owner.insist(METHOD + "invite_create", body, space.key)
	if made.status != 200:
		return False
	code = {"code": made.message["code"]}
	return person(lab, number).insist(METHOD + "invite_accept", code, space.key).status == 200


def auditor(lab, space):
	"""A new device of the owner that has seen nothing yet."""
	device = Device(lab, Life(10_000_000 + space.number, space, space.owner, 0, 0, "stays", space.number))
	device.lab.enrol(device)
	device.register()
	return device


def compare(lab, judge, devices):
	"""Every device holds what a new one gets, and that is what the tables hold."""
	held = lab.inspect(judge.space)
	right = {key: row.version for key, row in held.records.items() if not row.deleted}
	_differences(lab, judge, right, {key: version for key, (version, _) in judge.replica.items()})
	for key, (_, payload) in judge.replica.items():
		values = held.records[key].values if key in held.records else None
		if values and any(look.plain(payload.get(n)) != v for n, v in values.items() if n in payload):
			lab.tell(
				Violation("convergence", f"the pull says {payload}, the table {values}", judge.space, (key,))
			)
	for device in devices:
		_differences(lab, device, judge.replica, device.replica)


def _differences(lab, device, right, replica):
	for key in right.keys() | replica.keys():
		if right.get(key) != replica.get(key):
			says = f"{device.name} holds {replica.get(key)}, right is {right.get(key)}"
			lab.tell(Violation("convergence", says, device.space, (key,)))
