"""Contract: all that a contract and its kind of space add to the engine, as one typed object.

An app names its objects under the hook `sync_contracts`; `hisabi_sync.engine.entities.contracts` loads and checks them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import frappe

from hisabi_sync.engine.model.change import Caller, Change, Stored

# (change, the record it meets or None, caller, registry of entity types). Raises ItemError.
Rule = Callable[[Change, Stored | None, Caller, Any], None]
# (changes of one DocType, caller), before any record is locked.
Preparation = Callable[[Sequence[Change], Caller], None]
# (effects of the transaction, access to records), as `hisabi_sync.engine.derive` has them.
Derivation = Callable[[Sequence[Any], Any], None]
# (caller, entity types that are written): (DocType, name) of the document to lock first, or None.
Hold = Callable[[Caller, Collection[str]], tuple[str, str] | None]


MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Budget:
	"""How much of something a user or a device may use.

	`setting` is the field of Sync Settings with the limit, in `unit`s, between `least` and `most`; where it is 0, `default`
	counts. A `window`, in seconds, limits what is used within it. A budget without a window limits what a user holds:
	`count(user)` says how much that is. A call that exceeds the budget ends with `code`; without a code nothing is refused,
	and less is kept.
	"""

	name: str
	setting: str
	default: int
	least: int
	most: int
	code: str | None
	window: int | None = None
	unit: int = 1
	count: Callable[[str], int] | None = None

	@property
	def limit(self) -> int:
		"""The limit of a device; for a budget that only users have, the limit of a user."""
		return int(frappe.get_cached_doc("Sync Settings").get(self.setting) or self.default) * self.unit

	def held_by(self, user: str) -> int:
		"""How much a user holds; 0 where nothing counts it."""
		return int(self.count(user) or 0) if self.count else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
	"""One contract. Without a `name`, it adds to the spaces of another contract; without a `space_type`, it brings no kind of space.

	- `declare` gives entity types in the shape of `hisabi_sync.engine.entities.contracts`.
	- `read_again` reads raw items that the ledger kept into changes, to process failed ones again.
	- `rules`, by DocType: checks and defaults beyond those of the DocType. `prepare`, by DocType: looks up what the rules
	  need, once for a whole batch.
	- `derive` updates values that follow from other records, in the same transaction; its cost grows only with the effects.
	  `derives_from` names the DocTypes that it looks at, None for all: documents of other DocTypes can be numbered later.
	- `hold` returns (DocType, name) of the document that every writer locks before any other, or None.
	- `announce(name of the space, position)` is called when a transaction has taken numbers, just before its commit.
	- `client_only` are names in payloads that only clients need; they are ignored.
	- `media_columns`, by DocType: other places than file fields that name uploads, as (table, column with the key, column
	  with the document's name).
	- `bulk_actions`, by name: what people can do with many documents at once.
	- `takes_rules`: members of its spaces may follow rules, and it serves the kinds of space that people make (Sync Space Type).
	- `budgets`: how much each user may hold of what the contract lets them make. Contracts may share a budget.
	"""

	space_type: str
	name: str | None = None
	declare: Callable[[], list[dict[str, Any]]] = list
	read_again: Callable[[Sequence[Any], Caller], list[Change]] | None = None
	rules: Mapping[str, Rule] = field(default_factory=dict)
	prepare: Mapping[str, Preparation] = field(default_factory=dict)
	derive: Derivation | None = None
	derives_from: frozenset[str] | None = None
	hold: Hold | None = None
	announce: Callable[[str, int], None] | None = None
	client_only: frozenset[str] = frozenset()
	media_columns: Mapping[str, Sequence[tuple[str, str, str]]] = field(default_factory=dict)
	bulk_actions: Mapping[str, Any] = field(default_factory=dict)
	budgets: Sequence[Budget] = ()
	takes_rules: bool = False
