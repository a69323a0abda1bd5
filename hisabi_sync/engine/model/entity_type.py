"""EntityType: what devices see of a DocType, and how their changes are treated."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hisabi_sync.engine.model import fields as field_kinds
from hisabi_sync.engine.model import files, ids
from hisabi_sync.engine.model.actions import ATTACH, Flow, Rule
from hisabi_sync.engine.model.joint import Condition, Share
from hisabi_sync.engine.model.paths import Way

# Columns that the engine fills when a DocType has them.
STAMPS = ("client_id", "doc_version", "server_modified", "is_deleted", "deleted_at", "user")
SENSITIVE = frozenset(("device_token", "device_token_hash", "passcode", "password", "pwd"))
CLIENT_ONLY = frozenset(
	"_assign _comments _liked_by _user_tags creation docVersion doc_version docstatus doctype idx modified "
	"modified_by name owner serverModified server_modified".split()
)


@dataclass(frozen=True, eq=False)
class EntityType:
	"""`name` is the site's own, which all rows use; `wire_name` is its name on the wire, in its kind of space."""

	name: str
	wire_name: str
	doctype: str
	space_type: str
	space_path: str
	client_id_field: str | None
	policy: str
	parameters: dict[str, Any]
	field_policies: dict[str, Any]
	rank: int
	write_role: str
	check_permissions: bool
	max_payload: int
	fields: dict[str, field_kinds.Field] = field(default_factory=dict)
	aliases: dict[str, str] = field(default_factory=dict)
	wire_names: dict[str, str] = field(
		default_factory=dict
	)  # {field: its name for apps}, where it has another one
	required: tuple[str, ...] = ()
	one_of: tuple[tuple[str, ...], ...] = ()
	stamps: frozenset[str] = frozenset()
	client_only: frozenset[str] = CLIENT_ONLY  # names in payloads that only clients need
	# Why its documents are saved one by one, see `entities.write_mode`; nothing if they are written in bulk.
	slow: tuple[tuple[str, tuple[str, ...]], ...] = ()
	# Ways to the key of the space, by the space path; the first that leads to one counts
	ways: tuple[Way, ...] = ()
	shares: tuple[Share, ...] = ()  # by which documents lie in further spaces, see `model.joint`
	condition: Condition = ()  # documents that do not meet it lie in no space
	by_job: bool = False  # whether changes outside of a push are numbered by a job, see `engine.waiting`
	submittable: bool = False
	tracked: bool = False  # whether the DocType keeps Versions of its documents
	actions: dict[str, Rule] = field(default_factory=dict)  # what devices may do with its documents, by name
	flow: Flow | None = None  # its active Workflow
	attachments: bool = False  # whether devices get the files that are attached to documents, and attach some
	print_format: str = ""  # how documents are printed for devices; without one as the DocType says
	client_minimum: int = 0  # the oldest version of an app's schema with which it may sync
	# rule(change, stored, caller, registry): checks and completes values.
	rule: Callable[..., Any] | None = None
	# prepare(changes, caller): looks up what the rule needs for a whole batch.
	prepare: Callable[..., Any] | None = None
	enabled: bool = True  # devices neither see nor write one that is switched off

	def outward(self, name: str) -> str:
		"""What apps of the site contract and its dialects call a field; of a column of a table, `table.column`."""
		own, dot, column = name.partition(".")
		return self.wire_names.get(own, own) + dot + column

	@cached_property
	def bulk(self) -> bool:
		"""Whether a push writes its documents with multi-row statements, and not one by one."""
		return not self.slow

	@cached_property
	def key_field(self) -> str:
		"""The field of the document that always holds the key of its space; "" where links or several ways lead to it."""
		is_plain = len(self.ways) == 1 and not self.shares and not self.condition
		return self.ways[0].own_field if is_plain else ""

	@cached_property
	def leads_through(self) -> bool:
		"""Whether the database is asked where a document lies: by other documents, by shares, or under a condition."""
		return bool(self.shares or self.condition) or any(len(way.path) > 1 for way in self.ways)

	@cached_property
	def all_ways(self) -> tuple[Way, ...]:
		"""The ways of the space path and of the shares."""
		return (*self.ways, *(share.way for share in self.shares))

	@cached_property
	def is_assigned(self) -> bool:
		"""Whether those to whom a document is assigned share it."""
		return any(way.ends_with_assigned for way in self.all_ways)

	@cached_property
	def is_only_assigned(self) -> bool:
		"""Whether nothing but an assignment brings a document to a space."""
		return bool(self.shares) and all(way.ends_with_assigned for way in self.all_ways)

	@cached_property
	def conditions(self) -> tuple[Condition, ...]:
		"""The conditions under which documents lie in a space."""
		return tuple(filter(None, (self.condition, *(share.condition for share in self.shares))))

	@cached_property
	def table(self) -> str:
		"""Name of the DocType's table."""
		return f"tab{self.doctype}"

	@cached_property
	def mark(self) -> str:
		"""Its short hash in cursors."""
		return ids.digest(self.name, size=6)

	@cached_property
	def own_tables(self) -> list[str]:
		"""DocTypes of the document and of its rows."""
		return [self.doctype, *(table.options for table in self.tables)]

	@cached_property
	def links(self) -> dict[str, str]:
		"""{Link field: DocType that it leads to}, without Dynamic Links."""
		return {name: f.options for name, f in self.fields.items() if f.fieldtype == "Link"}

	@cached_property
	def link_fields(self) -> tuple[field_kinds.Field, ...]:
		"""The links among the fields of the document itself."""
		return tuple(self.fields[name] for name in self.links)

	@cached_property
	def link_columns(self) -> tuple[tuple[str, field_kinds.Field], ...]:
		"""(table, column) of the links in rows."""
		return tuple((table.name, c) for table in self.tables for c in table.columns if c.fieldtype == "Link")

	@cached_property
	def settable(self) -> dict[str, str]:
		"""{name in payloads: field} of the fields that devices may set, with their aliases."""
		named = {alias: name for alias, name in self.aliases.items() if alias not in self.fields}
		return {
			key: name
			for key, name in (*named.items(), *zip(self.fields, self.fields, strict=True))
			if name in self.writable
		}

	@cached_property
	def places(self) -> tuple[tuple[str, tuple[tuple[bytes, field_kinds.Field], ...]], ...]:
		"""(name, ((mark, Field), ...)) of each field: marks of 4 bytes for itself, and for the columns of a table."""
		return tuple(
			(name, ((_mark(name), f), *((_mark(f"{name}.{c.name}"), c) for c in f.columns)))
			for name, f in self.fields.items()
		)

	@cached_property
	def column_marks(self) -> tuple[tuple[str, bytes, Any], ...]:
		"""(name, mark, empty value) of each field that is no table."""
		rows = field_kinds.ROWS
		return tuple((n, of[0][0], of[0][1].kind.empty) for n, of in self.places if of[0][1].kind is not rows)

	@cached_property
	def table_marks(self) -> tuple[tuple[str, tuple[tuple[bytes, field_kinds.Field], ...]], ...]:
		"""The `places` of tables."""
		return tuple(place for place in self.places if place[1][0][1].kind is field_kinds.ROWS)

	@cached_property
	def fields_by_mark(self) -> dict[bytes, str]:
		"""{mark: name of the field}, see `places`."""
		return {mark: name for name, places in self.places for mark, _ in places}

	@cached_property
	def computed(self) -> frozenset[str]:
		"""Names of the fields that the contract computes."""
		return frozenset(name for name, f in self.fields.items() if f.access == "Computed")

	@cached_property
	def readable(self) -> dict[str, field_kinds.Field]:
		"""{name: Field} of what devices may read."""
		return {name: f for name, f in self.fields.items() if f.access != "Hidden"}

	@cached_property
	def writable(self) -> frozenset[str]:
		"""Names of the fields that devices may write."""
		return frozenset(name for name, f in self.fields.items() if f.writable)

	@cached_property
	def columns(self) -> list[field_kinds.Field]:
		"""The fields that are columns of the DocType's table."""
		return [f for f in self.fields.values() if f.kind is not field_kinds.ROWS]

	@cached_property
	def cleaned(self) -> frozenset[str]:
		"""Fields of which `Field.changes` may be true."""
		kinds = (field_kinds.ROWS, field_kinds.HTML)
		return frozenset(name for name, f in self.fields.items() if f.kind in kinds)

	@cached_property
	def strict_columns(self) -> list[field_kinds.Field]:
		"""Columns that may hold values that their field cannot read."""
		return [f for f in self.columns if f.kind.expected != "string"]

	@cached_property
	def tables(self) -> list[field_kinds.Field]:
		"""The fields that are child tables."""
		return [f for f in self.fields.values() if f.kind is field_kinds.ROWS]

	@cached_property
	def moments(self) -> tuple[str, ...]:
		"""Names of the fields that hold a day with a time."""
		return _moments(self.columns)

	@cached_property
	def row_moments(self) -> dict[str, tuple[str, ...]]:
		"""{table: names of the columns that hold a day with a time}, for the tables that have such columns."""
		return {table.name: _moments(table.columns) for table in self.tables if _moments(table.columns)}

	@cached_property
	def acting(self) -> tuple[field_kinds.Field, ...]:
		"""Fields whose values make Frappe act, and tables with such columns."""
		return files.acting(self.fields.values())

	@cached_property
	def dynamic(self) -> tuple[field_kinds.Field, ...]:
		"""Dynamic Links, and tables with such columns."""
		kind = "Dynamic Link"
		return tuple(
			f
			for f in self.fields.values()
			if f.fieldtype == kind or any(c.fieldtype == kind for c in f.columns)
		)

	@cached_property
	def defaults(self) -> dict[str, Any]:
		"""{name: canonical value} of the fields with a default in the DocType."""
		return {name: f.default for name, f in self.fields.items() if f.default is not None}

	@cached_property
	def levels(self) -> frozenset[int]:
		"""Frappe's permission levels of the fields and columns."""
		return frozenset(c.permlevel for f in self.fields.values() for c in (f, *f.columns))

	@cached_property
	def is_levelled(self) -> bool:
		"""Whether Frappe's permission levels may keep some readers from a field."""
		return bool(self.levels - {0}) or any(c.source for f in self.fields.values() for c in (f, *f.columns))

	@cached_property
	def visibility(self) -> str:
		"""A hash of what devices may read and do; it changes when records have to be sent again."""
		left_out = [f"{table.name}.{name}" for table in self.tables for name in sorted(table.left_out)]
		actions = [repr(part) for part in (*self.actions.values(), self.flow) if part] if self.actions else []
		files = [ATTACH] if self.attachments else []
		return ids.digest(
			self.name, self.check_permissions, *sorted(self.readable), *left_out, *actions, *files, size=4
		)

	@cached_property
	def row_fields(self) -> frozenset[str]:
		"""Names of the child tables."""
		return frozenset(field.name for field in self.tables)

	def empty_values(self) -> dict[str, Any]:
		"""{name: canonical value} of a document in which nothing is set."""
		return {**self._empty, **{field.name: [] for field in self.tables}}

	@cached_property
	def _empty(self) -> dict[str, Any]:
		return {name: field.kind.empty for name, field in self.fields.items()}

	def canonical(self, source: Any) -> dict[str, Any]:
		"""Canonical values from a document or a row of the database."""
		return {name: f.load(source.get(name)) for name, f in self.fields.items()}


def _mark(place: str) -> bytes:
	return bytes.fromhex(ids.digest(place, size=4))


def _moments(fields: Iterable[field_kinds.Field]) -> tuple[str, ...]:
	return tuple(field.name for field in fields if field.kind is field_kinds.DATETIME)
