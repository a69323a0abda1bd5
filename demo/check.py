"""Is everything equal, and was every change applied once? Each check returns what it compared and what differs.

Nobody else may write to the wallet meanwhile, or what they write is found as a difference.
"""

import json
import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from demo.client import Phone
from demo.desk import Desk
from demo.household import TRANSACTION, Household, balances

WIRE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass
class Check:
	"""How many things one check compared, and the sentences about those that differ."""

	title: str
	compared: int
	differences: list = field(default_factory=list)


@dataclass
class Server:
	"""What the Desk shows of a wallet: `rows` maps (entity type, client id) to a row of the DocType.

	`entity_types` names those that were read; the records of others cannot be compared.
	"""

	rows: dict
	entity_types: set
	zone: tzinfo

	@property
	def live(self) -> dict[tuple[str, str], dict[str, Any]]:
		"""{(entity type, id): row} of records that are not deleted."""
		return {key: row for key, row in self.rows.items() if not row.get("is_deleted")}


def read_server(desk: Desk, wallet_id: str) -> Server:
	"""Read every document of the wallet over REST, links turned into client ids as devices see them."""
	entities = _comparable(desk)
	rows: dict[tuple[str, str], dict[str, Any]] = {}
	for entity in entities:
		documents = desk.rows(entity["document_type"], **{entity["space_path"]: wallet_id})
		rows |= {(entity["entity_type"], row[entity["client_id_field"]]): row for row in documents}
	renamed = {row["name"]: key[1] for key, row in rows.items() if row["name"] != key[1]}
	shown = {
		key: {
			name: renamed.get(value, value) if isinstance(value, str) else value
			for name, value in row.items()
		}
		for key, row in rows.items()
	}
	return Server(shown, {entity["entity_type"] for entity in entities}, desk.zone())


def _comparable(desk: Desk) -> list[dict[str, Any]]:
	"""Entity types whose documents name their wallet and their client id themselves."""
	entities = desk.rows("Sync Entity", space_type="wallet", enabled=1)
	return [one for one in entities if one["client_id_field"] and "." not in one["space_path"]]


def outboxes(phones: Sequence[Phone], allowed: Container[str]) -> Check:
	"""Nothing waits, and nothing was refused but for a reason that the story expects."""
	check = Check("Every change was answered", sum(len(p.answers) for p in phones))
	for phone in phones:
		waiting = [*phone.outbox.values(), *(conflict.change for conflict in phone.conflicts)]
		check.differences += [f"{phone.device_id}: {change.key} still waits" for change in waiting]
		check.differences += [
			f"{phone.device_id}: {change.key} was refused: {answer['error_code']}"
			for change, answer in phone.rejected
			if answer["error_code"] not in allowed
		]
	return check


def replicas(phones: Sequence[Phone]) -> Check:
	"""All phones hold the same records in the same versions with the same values."""
	first, *others = phones
	check = Check("The phones hold the same records", len(first.replica) * len(others))
	for other in others:
		for key in sorted(first.replica.keys() | other.replica.keys()):
			one, two = first.replica.get(key), other.replica.get(key)
			if one != two:
				check.differences.append(f"{_name(key)}: {first.device_id} {one} / {other.device_id} {two}")
	return check


def against_server(phone: Phone, server: Server) -> Check:
	"""A phone holds the server's live records, no more and no fewer, field by field."""
	own, live = {k: r for k, r in phone.replica.items() if k[0] in server.entity_types}, server.live
	check = Check(f"{phone.device_id} holds what the Desk shows", len(own))
	for key in sorted(own.keys() | live.keys()):
		record, row = own.get(key), live.get(key)
		if record is None or row is None:
			check.differences.append(f"{_name(key)}: only on the {'phone' if row is None else 'server'}")
			continue
		given = {**record.payload, "doc_version": record.doc_version}
		check.differences += [
			f"{_name(key)}.{name}: phone {value!r}, server {row[name]!r}"
			for name, value in given.items()
			if name in row and not _equal(value, row[name], server.zone)
		]
	return check


def _name(key: tuple[str, str]) -> str:
	return " ".join(key)


def _equal(wire: Any, stored: Any, zone: tzinfo) -> bool:
	if isinstance(wire, dict | list) and isinstance(stored, str):
		stored = json.loads(stored)
	return _plain(wire, zone) == _plain(stored, zone)


def _plain(value: Any, zone: tzinfo) -> Any:
	"""A value that compares: numbers as decimals, times as the site keeps them, every kind of empty as None."""
	if value in (None, "", 0):
		return None
	if isinstance(value, int | Decimal):
		return Decimal(value)
	if isinstance(value, str) and WIRE_TIME.fullmatch(value):
		return str(datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(zone).replace(tzinfo=None))
	return value


def money(household: Household, phones: Sequence[Phone], server: Server) -> Check:
	"""The balances of this run's accounts, added up from each phone's transactions and from the server's."""
	stored = balances(household, [row for (kind, _), row in server.live.items() if kind == TRANSACTION])
	check = Check("Balances are equal to the last digit", len(stored) * len(phones))
	for phone in phones:
		own = balances(household, phone.view(TRANSACTION).values())
		check.differences += [
			f"{household.accounts[account]['account_name']}: {phone.device_id} {own[account]}, server {amount}"
			for account, amount in stored.items()
			if own[account] != amount
		]
	return check


def ledger(phones: Sequence[Phone], desk: Desk) -> Check:
	"""The server remembers exactly the ops that were sent, each once and with the answer that the phone got."""
	sent = {op_id: answer for phone in phones for op_id, (_, answer) in phone.answers.items()}
	devices = desk.rows("Sync Device", ["name"], device_id=[phone.device_id for phone in phones])
	items = desk.rows("Sync Item", ["op_id", "status"], device=[device["name"] for device in devices])
	kept, times = {item["op_id"]: item["status"] for item in items}, Counter(item["op_id"] for item in items)
	check = Check("Every op is in the ledger once, with its answer", len(sent))
	for op_id in sorted(sent.keys() | kept.keys()):
		answer = sent.get(op_id, {}).get("status", "never sent")
		if (times[op_id], kept.get(op_id)) != (1, answer):
			check.differences.append(f"op {op_id}: {answer}; {times[op_id]} in the ledger: {kept.get(op_id)}")
	return check


def versions(phones: Sequence[Phone], desk: Desk, server: Server) -> Check:
	"""A transaction's version is the number of accepted changes and saves: none was lost, none applied twice."""
	answers = [pair for phone in phones for pair in phone.answers.values()]
	changes = Counter(change.key for change, answer in answers if answer["status"] == "accepted")
	changes.update(desk.writes)
	counted = {key: count for key, count in changes.items() if key[0] == TRANSACTION}
	check = Check("Accepted changes are applied once", sum(counted.values()))
	for key, count in sorted(counted.items()):
		version = server.rows.get(key, {}).get("doc_version")
		if version != count:
			check.differences.append(f"{_name(key)}: {count} accepted changes, version {version}")
	return check


def decisions(expected: Mapping[tuple[tuple[str, str], str], Any], server: Server) -> Check:
	"""What people decided is what is stored; `expected` maps (key, field) to a value, or to None for a deleted record."""
	check = Check("Decisions of people are kept", len(expected))
	for (key, name), value in expected.items():
		found = server.live.get(key, {}).get(name)
		if not _equal(value, found, server.zone):
			check.differences.append(f"{_name(key)}.{name}: decided {value!r}, server {found!r}")
	return check
