"""What a DocType looks like to a device, as data."""

from dataclasses import dataclass, field
from functools import cached_property

from hisabi_sync.engine import fields as field_kinds
from hisabi_sync.engine import ids

# Columns that the engine fills when a DocType has them.
STAMPS = ("client_id", "doc_version", "server_modified", "is_deleted", "deleted_at", "user")
SENSITIVE = frozenset(("device_token", "device_token_hash", "passcode", "password", "pwd"))
CLIENT_ONLY = frozenset(
	"_assign _comments _liked_by _user_tags creation docVersion doc_version docstatus doctype idx modified "
	"modified_by name owner serverModified server_modified".split()
)


@dataclass(frozen=True, eq=False)
class EntityType:
	name: str
	doctype: str
	space_type: str
	space_path: str
	client_id_field: str | None
	policy: str
	parameters: dict
	field_policies: dict
	rank: int
	write_role: str
	check_permissions: bool
	max_payload: int
	fields: dict = field(default_factory=dict)
	aliases: dict = field(default_factory=dict)
	required: tuple = ()
	one_of: tuple = ()
	stamps: frozenset = frozenset()
	client_only: frozenset = CLIENT_ONLY  # what clients keep for themselves, and send along
	bulk: bool = False
	path: tuple = ()  # (DocType, field) of each step on the way to the space beyond the document itself
	submittable: bool = False
	rule: object = None  # callable(change, stored, caller, registry): checks and completes values
	prepare: object = None  # callable(changes, caller): looks up for a whole batch what the rule needs

	@cached_property
	def table(self):
		return f"tab{self.doctype}"

	@cached_property
	def links(self):
		return {name: f.options for name, f in self.fields.items() if f.fieldtype == "Link"}

	@cached_property
	def targets(self):
		"""DocTypes that the fields link to, those of rows included."""
		columns = [column for table in self.tables for column in table.columns if column.fieldtype == "Link"]
		return {*self.links.values(), *(column.options for column in columns)}

	@cached_property
	def in_order(self):
		"""[(name, field)] by name."""
		return sorted(self.fields.items())

	@cached_property
	def computed(self):
		return frozenset(name for name, f in self.fields.items() if f.access == "Computed")

	@cached_property
	def readable(self):
		return {name: f for name, f in self.fields.items() if f.access != "Hidden"}

	@cached_property
	def columns(self):
		return [f for f in self.fields.values() if f.kind is not field_kinds.ROWS]

	@cached_property
	def tables(self):
		return [f for f in self.fields.values() if f.kind is field_kinds.ROWS]

	@cached_property
	def defaults(self):
		return {name: f.default for name, f in self.fields.items() if f.default is not None}

	@cached_property
	def sight(self):
		"""A hash of what devices may read; it changes when records have to be sent again."""
		return ids.digest(self.name, self.check_permissions, *sorted(self.readable), size=4)

	def empty_values(self):
		return {name: [] if f.kind is field_kinds.ROWS else f.kind.empty for name, f in self.fields.items()}

	def canonical(self, source):
		"""Canonical values from a document or a row of the database."""
		return {name: f.load(source.get(name)) for name, f in self.fields.items()}
