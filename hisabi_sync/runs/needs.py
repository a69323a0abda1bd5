"""What a row of a connection needs on the other side, so that a test can name what is missing there before a run does."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hisabi_sync.runs import mapping

if TYPE_CHECKING:
	from hisabi_sync.runs.channel import Channel

RIGHTS = {"push": ("read", "create", "write"), "pull": ("read",)}
# What the row may ask for beyond writing -> the right that it takes there.
MORE = {
	("then_do", "submit"): "submit",
	("cancelled_as", "cancel"): "cancel",
	("deleted_as", "cancel"): "cancel",
}
MORE |= {("cancelled_as", "delete"): "delete", ("deleted_as", "delete"): "delete"}


@dataclass(frozen=True, slots=True)
class Needs:
	"""Fields of the other side, those of its child tables, rights of our user, and constants `{field: value}` that it is sent."""

	fields: tuple[str, ...] = ()
	rows: dict[str, tuple[str, ...]] = field(default_factory=dict)
	rights: tuple[str, ...] = ()
	values: dict[str, Any] = field(default_factory=dict)


def of(chosen: "Channel") -> Needs:
	"""What a row of a connection needs there: fields, rows, rights and constants."""
	rows = [row for row in chosen.mapping if row.remote and _counts(row, chosen.direction)]
	tables = {str(row.remote): _names(row.rows or ()) for row in rows if row.rows}
	values = {str(row.remote): row.value for row in rows if row.value is not None}
	rights = list(RIGHTS[chosen.direction])
	if chosen.direction == "push":
		rights += [right for (name, value), right in MORE.items() if chosen.row.get(name) == value]
	return Needs(_names(rows), tables, tuple(dict.fromkeys(rights)), values)


def _counts(row: mapping.Row, direction: str) -> bool:
	"""Constants for the other side are of no use to a pull."""
	return direction == "push" or row.value is None


def _names(rows: Iterable[mapping.Row]) -> tuple[str, ...]:
	return tuple(dict.fromkeys(str(row.remote).partition(".")[0] for row in rows if row.remote))
