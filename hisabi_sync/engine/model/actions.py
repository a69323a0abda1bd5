"""Actions on documents: submit, cancel, transitions of a Workflow, methods of the controller, and files. Pure.

Which of them devices may take is said by the Sync Entity. Amending is a create that names the cancelled record (`amends`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

SUBMIT, CANCEL, AMEND = "submit", "cancel", "amend"
WORKFLOW, METHOD = "workflow", "method"  # in full `workflow:Approve`, `method:close`
ATTACH, DETACH = "attach", "detach"
# What each takes: the key of an upload, the name of a File. They add to a document and take from it, whatever its version.
ATTACHING = {ATTACH: "key", DETACH: "file"}
DRAFT, SUBMITTED, CANCELLED = 0, 1, 2
DOCSTATUS = "docstatus"
# action: (docstatus in which it can be taken, docstatus that it leads to)
STEPS = {SUBMIT: (DRAFT, SUBMITTED), CANCEL: (SUBMITTED, CANCELLED)}
LONGEST = 140  # characters of an action's name


@dataclass(frozen=True, slots=True)
class Rule:
	"""How devices may take an action: also `on_newer` versions than the person looked at; as `then` without undoing the rest."""

	name: str
	on_newer: bool = False
	keeps_draft: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
	"""A step of a Workflow: users with the role may take the action in a state. `docstatus` is that of the next state."""

	action: str
	state: str
	next_state: str
	role: str
	docstatus: int


@dataclass(frozen=True, slots=True)
class Flow:
	"""The active Workflow of a DocType, and the field that holds the state."""

	field: str
	transitions: tuple[Transition, ...]


def rule_of(action: str, rules: Mapping[str, Rule]) -> Rule | None:
	"""The rule for an action by its full name. A rule for `workflow` holds for all transitions, one for `method` for none."""
	kind = action.partition(":")[0]
	return rules.get(action) or (rules.get(WORKFLOW) if kind == WORKFLOW else None)


def is_done(action: str, values: Mapping[str, Any], flow: Flow | None) -> bool:
	"""Whether the record is in the state to which the action leads, so that taking it again changes nothing."""
	if action in STEPS:
		return values.get(DOCSTATUS) == STEPS[action][1]
	step = action.partition(":")[2]
	if flow is None or not action.startswith(f"{WORKFLOW}:"):
		return False
	state, own = values.get(flow.field), [t for t in flow.transitions if t.action == step]
	return any(t.next_state == state for t in own) and not any(t.state == state for t in own)


def possible(
	values: Mapping[str, Any],
	rules: Mapping[str, Rule],
	flow: Flow | None,
	rights: Collection[str],
	roles: Collection[str],
) -> list[str]:
	"""Names of the actions that the state of a record and the rights of a user allow, without methods.

	`rights` are Frappe's on the document. Conditions of a Workflow are judged when the action is taken.
	"""
	status = values.get(DOCSTATUS) or DRAFT
	if flow is None:
		found = [name for name, (before, _) in STEPS.items() if before == status and name in rights]
	else:
		found = _transitions(values.get(flow.field), flow, roles) if "write" in rights else []
	if status == CANCELLED and AMEND in rights:
		found.append(AMEND)
	return [name for name in found if rule_of(name, rules)]


def _transitions(state: Any, flow: Flow, roles: Collection[str]) -> list[str]:
	allowed = (t.action for t in flow.transitions if t.state == state and t.role in roles)
	return [f"{WORKFLOW}:{action}" for action in dict.fromkeys(allowed)]
