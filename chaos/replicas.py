"""Promises about what devices hold. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from chaos import look
from chaos.evidence import same
from chaos.journal import Known
from chaos.violations import Violation


def foreign(device: str, space: str, item: Mapping[str, Any]) -> Iterator[Violation]:
	"""An item that arrived in a space and is not one of it; client ids of devices begin with their space."""
	payload = item["payload"] or {}
	home, dot, _ = item["client_id"].partition(".")
	places = {payload.get("wallet_id", space), home if dot else space}
	if places != {space}:
		key = (item["entity_type"], item["client_id"])
		yield Violation("walls", f"{device} in {space} was sent it", space, (key,))


def missed(
	device: str, space: str, known: Known, replica: Mapping[tuple[str, str], Any], began: float
) -> Iterator[Violation]:
	"""What was known as committed when a pull began and is not in the replica after it. `known.doomed` may be deleted."""
	for key in (known.deleted & replica.keys()) - known.revived:
		says = f"{device} pulled from {began:.3f} s on and still has what was deleted before"
		yield Violation("no_lost_change", says, space, (key,))
	for key, version in known.versions.items():
		held = replica.get(key)
		if key not in known.doomed and (held is None or held[0] < version):
			has = f"version {held[0]}" if held else "nothing"
			says = f"{device} pulled from {began:.3f} s on and has {has}, committed was version {version}"
			yield Violation("no_lost_change", says, space, (key,))


def differing(
	device: str, space: str, right: Mapping[tuple[str, str], Any], replica: Mapping[tuple[str, str], Any]
) -> Iterator[Violation]:
	"""Records that a device holds otherwise than is right."""
	for key in sorted(right.keys() | replica.keys()):
		if not _alike(right.get(key), replica.get(key)):
			says = f"{device} holds {replica.get(key)}, right is {right.get(key)}"
			yield Violation("convergence", says, space, (key,))


def _alike(right: Any, held: Any) -> bool:
	"""Whether two are the same; of payloads what both have, for fields come and go without a change of the record."""
	if right is None or held is None or not (isinstance(right, tuple) and right[1]):
		return right == held
	names = right[1].keys() & held[1].keys()
	return right[0] == held[0] and bool(names) and all(right[1][name] == held[1][name] for name in names)


def against_tables(held: look.Held, replica: Mapping[tuple[str, str], Any]) -> Iterator[Violation]:
	"""A complete replica beside the tables: the same records in the same versions with the same values."""
	live = {key: row.version for key, row in held.records.items() if not row.deleted}
	yield from differing(
		"a new device", held.space, live, {key: version for key, (version, _) in replica.items()}
	)
	for key, (_, payload) in replica.items():
		values = (held.records[key].values if key in held.records else None) or {}
		for name in values.keys() & payload.keys():
			if not same(look.plain(payload[name]), values[name]):
				says = f"pulled is {name} {payload[name]!r}, the table has {values[name]!r}"
				yield Violation("convergence", says, held.space, (key,))
