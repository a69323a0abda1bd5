"""Checks of observations, recommendations and patches beyond what their DocTypes say. Source: docs/contracts/batch.md."""

from collections.abc import Iterable, Mapping
from typing import Any

from hisabi_sync.engine.database import sql
from hisabi_sync.engine.entities.type_registry import Registry
from hisabi_sync.engine.model import clock, ids
from hisabi_sync.engine.model.change import Caller, Change, Stored
from hisabi_sync.engine.model.errors import ItemError
from hisabi_sync.engine.store import load
from hisabi_sync.hisabi_farm import history, patches
from hisabi_sync.hisabi_farm.document import CONFIRMED
from hisabi_sync.hisabi_farm.entities import OBSERVATION, PLAYBOOK

HELD, PATCHES = "corrected observations", "patches"


def recommendation(change: Change, stored: Stored | None, caller: Caller, registry: Registry) -> None:
	"""Who confirmed it and when goes with the status."""
	_confirm(change, _held(stored), caller)


def observation(change: Change, stored: Stored | None, caller: Caller, registry: Registry) -> None:
	"""The same, and corrections: of the observation itself, or as a new one that points to it."""
	present = _held(stored)
	if change.correction:
		_check_in_place(change, present)
	if change.values.get("correction_of"):
		_check_correction(change, stored, present, caller)
	_confirm(change, present, caller)
	status = change.values.get("status", present.get("status"))
	caller.memo.setdefault(HELD, {}).setdefault(change.record, [status, None])


def _held(stored: Stored | None) -> dict[str, Any]:
	return stored.values if stored and stored.live else {}


def _confirm(change: Change, present: Mapping[str, Any], caller: Caller) -> None:
	values = change.values
	if present.get("status") == CONFIRMED:
		if values.pop("confirmed_at", None):
			change.warnings.append("confirmedAt")  # it stays what it was at the confirmation
	elif values.get("status") == CONFIRMED:
		values["confirmed_by"] = caller.user
		values["confirmed_at"] = values.get("confirmed_at") or change.client_time or clock.now()


def _check_in_place(change: Change, present: Mapping[str, Any]) -> None:
	if not present:
		raise ItemError("not_found")
	if present.get("status") != CONFIRMED:
		raise ItemError("correction_of_draft")
	if change.values.get("status", CONFIRMED) != CONFIRMED:
		raise ItemError("invalid_value", ["status"])


def _check_correction(
	change: Change, stored: Stored | None, present: Mapping[str, Any], caller: Caller
) -> None:
	"""A chain has no forks: only its newest observation can be corrected."""
	if present:
		if present.get("correction_of") != change.values["correction_of"]:
			raise ItemError("invalid_value", ["correction_of"])
		return
	target = ids.record(caller.space, OBSERVATION, change.payload["correctionOf"])
	found = caller.memo.get(HELD, {}).get(target)
	status, newer = found or (None, None)
	if status != CONFIRMED:
		raise ItemError("correction_of_draft")
	if newer not in (None, change.client_id):
		raise ItemError("already_corrected", [newer])
	found[1] = change.client_id


def prepare_observations(changes: Iterable[Change], caller: Caller) -> None:
	"""Lock what is to be corrected and note its state: `{record: [status, client id of its correction]}`."""
	corrected = {change.payload.get("correctionOf") for change in changes if not change.error}
	names = [ids.record(caller.space, OBSERVATION, key) for key in corrected if isinstance(key, str)]
	records = {stored.document_name: name for name, stored in load.records(names).items() if stored.live}
	columns = ["name", "status", "superseded_by"]
	rows = sql.select_in(
		"Field Observation", columns, "name", sorted(records), tail="ORDER BY name FOR UPDATE"
	)
	newer = _client_ids({row[2] for row in rows if row[2]})
	caller.memo[HELD] = {records[row[0]]: [row[1], newer.get(row[2])] for row in rows}


def _client_ids(names: Iterable[str]) -> dict[str, str]:
	rows = sql.select_in("Field Observation", ["name", "client_id"], "name", sorted(names))
	return {name: ids.decode(client_id) for name, client_id in rows}


# --- playbooks


def playbook(change: Change, stored: Stored | None, caller: Caller, registry: Registry) -> None:
	"""Turn the operations of a patch into the rules that they make of the active version."""
	patch = change.intent
	if patch is None or stored is None or not stored.live:
		return
	earlier = caller.memo.get(PATCHES, {}).get(patch["patch_id"])
	active = stored.values["version"]
	if earlier:
		_check_repeat(earlier, patch)
		change.based_on = active  # it was judged when it came first
		return
	if stored.values["status"] != "active":
		raise ItemError("patch_invalid", ["playbookId"])
	columns = registry.by_name[PLAYBOOK].fields["rules"].columns
	is_current = change.based_on == active
	rows = patches.applied(stored.values["rules"], patch["operations"], columns, is_current)
	if is_current and not patches.difference(stored.values["rules"], rows):
		raise ItemError("patch_invalid", ["operations"])  # it would make no version
	change.values = {"rules": rows}


def _check_repeat(earlier: str, patch: Mapping[str, Any]) -> None:
	if earlier != patch["content"]:
		raise ItemError("patch_id_reused")


def prepare_playbooks(changes: Iterable[Change], caller: Caller) -> None:
	"""Lock the playbooks that are patched and note which patches are there already: `{patch id: hash of its content}`."""
	patched = [change for change in changes if change.intent and not change.error]
	names = {ids.record(caller.space, PLAYBOOK, change.client_id) for change in patched}
	playbooks = [stored for stored in load.records(names).values() if stored.live]
	documents = sorted(stored.document_name for stored in playbooks if stored.document_name)
	sql.select_in("Field Playbook", ["name"], "name", documents, tail="ORDER BY name FOR UPDATE")
	patches_named = [
		history.patch_name(caller.space_key, change.intent["patch_id"]) for change in patched if change.intent
	]
	rows = sql.select_in(history.PATCH, ["patch_id", "content"], "name", patches_named, tail=load.LATEST)
	caller.memo[PATCHES] = dict(rows)
