"""Conflict policies: pure functions, one line each in POLICIES. Source: docs/concepts.md, Policies.

A policy sees an Edit, the part of a change that differs from the record, split into what may be taken as it is
(`clean`) and what clashes with somebody else's later change. It answers with a Verdict.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hisabi_sync.engine.model import clock
from hisabi_sync.engine.model.change import Stored
from hisabi_sync.engine.model.errors import ItemError


@dataclass(frozen=True, slots=True)
class Clash:
	"""One field that the device and another writer changed to different values."""

	field: str
	base: object
	server: object
	client: object
	server_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Edit:
	"""An update with a difference. `values` are all that differ, `clean` those that can be set. `stale` says that the record's
	content has changed since the base.
	"""

	stored: Any
	values: dict[str, Any]
	clean: dict[str, Any]
	clashes: tuple[Clash, ...] = ()
	stale: bool = False
	client_time: datetime | None = None
	correction: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
	"""`values` are applied. `lost` maps the field of a clash to the side that lost. `conflict` names fields to settle: nothing
	is applied then.
	"""

	values: dict[str, Any] = field(default_factory=dict)
	lost: dict[str, str] = field(default_factory=dict)
	conflict: tuple[str, ...] = ()


def merge(edit: Edit, parameters: Mapping[str, Any]) -> Verdict:
	"""Other fields are merged; a field that both sides changed to different values is a conflict."""
	if edit.clashes:
		return Verdict(conflict=tuple(clash.field for clash in edit.clashes))
	return Verdict(edit.clean)


def manual(edit: Edit, parameters: Mapping[str, Any]) -> Verdict:
	"""Any change on an old version is a conflict."""
	return Verdict(conflict=tuple(edit.values)) if edit.stale else Verdict(edit.clean)


def client_wins(edit: Edit, parameters: Mapping[str, Any]) -> Verdict:
	"""The device's values count; those that lose are kept."""
	return _decide_clashes(edit, lambda clash: True)


def server_wins(edit: Edit, parameters: Mapping[str, Any]) -> Verdict:
	"""The server's values count; those that lose are kept."""
	return _decide_clashes(edit, lambda clash: False)


def last_write_wins(edit: Edit, parameters: Mapping[str, Any]) -> Verdict:
	"""The newer time wins, field by field; the server's value stays when a time is missing or equal."""

	def newer(clash: Clash) -> bool:
		return _is_newer(edit.client_time, clash.server_time)

	return _decide_clashes(edit, newer)


def terminal_value_wins(edit: Edit, parameters: Mapping[str, Any]) -> Verdict:
	"""`{"field": "status", "value": "done", "otherwise": "merge"}`: the value wins against all others."""
	name, value = parameters["field"], parameters["value"]
	decided = {
		clash.field: clash.client == value
		for clash in edit.clashes
		if clash.field == name and value in (clash.client, clash.server)
	}
	return _settle_some(edit, parameters, decided)


def draft_then_immutable(edit: Edit, parameters: Mapping[str, Any]) -> Verdict:
	"""`{"field": "status", "draft": ["draft"]}`: last write wins on drafts; later only an explicit correction.

	With `"time": "updated_at"`, that field has the time of the last write. A change of it alone is no change of a record
	that is no longer a draft.
	"""
	if _is_draft(edit.stored, parameters) or edit.correction:
		return last_write_wins(edit, parameters)
	changed = tuple(name for name in edit.values if name != parameters.get("time"))
	return Verdict(conflict=changed)


def immutable(edit: Edit, parameters: Mapping[str, Any]) -> Verdict:
	"""Nothing is changed after the create: an edit with other values is a conflict."""
	return Verdict(conflict=tuple(edit.values))


def server_only(edit: Edit, parameters: Mapping[str, Any]) -> Verdict:
	"""Devices never write such records. Raises ItemError permission_denied."""
	raise ItemError("permission_denied")


def rebase(edit: Edit, parameters: Mapping[str, Any]) -> Verdict:
	"""`{"version": "version"}`: the field that counts the active versions; without it the record's own version counts."""
	return manual(edit, parameters)


def _decide_clashes(edit: Edit, client_wins_clash: Callable[[Clash], bool]) -> Verdict:
	won = {clash.field: clash.client for clash in edit.clashes if client_wins_clash(clash)}
	lost = {clash.field: "server" if clash.field in won else "client" for clash in edit.clashes}
	return Verdict({**edit.clean, **won}, lost)


def _settle_some(edit: Edit, parameters: Mapping[str, Any], decided: Mapping[str, bool]) -> Verdict:
	"""Settle the decided clashes, then the rest as the policy named `otherwise` would."""
	rest, won, lost = _take_out(edit, decided)
	verdict = POLICIES[parameters.get("otherwise", "merge")].update(rest, parameters)
	if verdict.conflict:
		return verdict
	return Verdict({**verdict.values, **won}, {**verdict.lost, **lost})


def settle_fields(edit: Edit, choices: Mapping[str, str]) -> tuple[Edit, dict[str, str]]:
	"""Settle the clashes of fields with a policy of their own: `{field: "client_wins" or "server_wins"}`.

	Returns (the rest of the edit, {field: side that lost}).
	"""
	decided = {c.field: choices[c.field] == "client_wins" for c in edit.clashes if c.field in choices}
	rest, won, lost = _take_out(edit, decided)
	return replace(rest, clean={**edit.clean, **won}), lost


def _take_out(edit: Edit, decided: Mapping[str, bool]) -> tuple[Edit, dict[str, Any], dict[str, str]]:
	"""(the edit without the decided clashes, values of those that the client wins, {field: side that lost})."""
	rest = replace(edit, clashes=tuple(clash for clash in edit.clashes if clash.field not in decided))
	won = {clash.field: clash.client for clash in edit.clashes if decided.get(clash.field)}
	return rest, won, {name: "server" if client else "client" for name, client in decided.items()}


@dataclass(frozen=True, slots=True)
class Deletion:
	"""A delete of a record. `stale` says that the content has changed since the base; the times are those of the edits."""

	stored: Stored
	stale: bool
	client_time: datetime | None
	server_time: datetime | None


def _always(deletion: Deletion, parameters: Mapping[str, Any]) -> bool:
	return True


def _never(deletion: Deletion, parameters: Mapping[str, Any]) -> bool:
	return False


def _if_fresh(deletion: Deletion, parameters: Mapping[str, Any]) -> bool:
	return not deletion.stale


def _if_newer(deletion: Deletion, parameters: Mapping[str, Any]) -> bool:
	return not deletion.stale or _is_newer(deletion.client_time, deletion.server_time)


def _if_draft(deletion: Deletion, parameters: Mapping[str, Any]) -> bool:
	return _is_draft(deletion.stored, parameters)


def _refuse(deletion: Deletion, parameters: Mapping[str, Any]) -> bool:
	raise ItemError("permission_denied")


def _is_newer(client_time: datetime | None, server_time: datetime | None) -> bool:
	return bool(client_time and server_time and clock.is_after(client_time, server_time))


def _is_draft(stored: Stored, parameters: Mapping[str, Any]) -> bool:
	return stored.values.get(parameters["field"]) in parameters.get("draft", ["draft"])


def _never_settled(stored: Stored, parameters: Mapping[str, Any]) -> bool:
	return False


def _past_draft(stored: Stored, parameters: Mapping[str, Any]) -> bool:
	return not _is_draft(stored, parameters)


def _on_any(based_on: int | None, stored: Stored, parameters: Mapping[str, Any]) -> bool:
	return True


def _on_active(based_on: int | None, stored: Stored, parameters: Mapping[str, Any]) -> bool:
	"""Whether a change was made for the version that is active now."""
	return "version" not in parameters or based_on == stored.values.get(parameters["version"])


@dataclass(frozen=True, slots=True)
class Policy:
	"""`update` gives a Verdict on an Edit; `may_delete` says whether a delete is applied or becomes a conflict."""

	update: Callable[..., Verdict]
	may_delete: Callable[..., bool] = _always
	device_may_create: bool = True
	by_time: bool = False  # times of writes decide; writing the same value later counts too
	is_settled: Callable[..., bool] = (
		_never_settled  # whether only an explicit correction may still change the record
	)
	is_current: Callable[..., bool] = (
		_on_any  # whether the version that the change was made for may still be changed
	)


POLICIES = {
	"merge": Policy(merge),
	"manual": Policy(manual, _if_fresh),
	"last_write_wins": Policy(last_write_wins, _if_newer, by_time=True),
	"client_wins": Policy(client_wins),
	"server_wins": Policy(server_wins, _if_fresh),
	"terminal_value_wins": Policy(terminal_value_wins),
	"draft_then_immutable": Policy(draft_then_immutable, _if_draft, by_time=True, is_settled=_past_draft),
	"immutable": Policy(immutable, _never),
	"server_only": Policy(server_only, _refuse, device_may_create=False),
	"rebase": Policy(rebase, _if_fresh, is_current=_on_active),
}


def goes_by_time(policy: str, parameters: Mapping[str, Any]) -> bool:
	"""Whether times decide clashes, by the policy itself or by the one that it leaves the rest to."""
	return POLICIES[parameters.get("otherwise", policy)].by_time
