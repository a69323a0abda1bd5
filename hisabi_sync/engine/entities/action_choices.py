"""The actions of a DocType: its active Workflow, what a Sync Entity proposes of them, and what it may list."""

import inspect
from typing import Any

import frappe
from frappe import _
from frappe.model.base_document import get_controller
from frappe.model.meta import Meta
from frappe.model.workflow import get_workflow_name

from hisabi_sync.engine.model.actions import (
	AMEND,
	CANCEL,
	LONGEST,
	METHOD,
	SUBMIT,
	WORKFLOW,
	Flow,
	Transition,
)

OF_SUBMITTABLE = (SUBMIT, CANCEL, AMEND)


def flow_of(doctype: str) -> Flow | None:
	"""The active Workflow of a DocType as a Flow, None if it has none."""
	name = get_workflow_name(doctype)
	if not name:
		return None
	flow = frappe.get_cached_doc("Workflow", name)
	status = {state.state: int(state.doc_status or 0) for state in flow.states}
	steps = (
		Transition(step.action, step.state, step.next_state, step.allowed, status.get(step.next_state, 0))
		for step in flow.transitions
	)
	return Flow(flow.workflow_state_field, tuple(steps))


def propose(meta: Meta) -> list[dict[str, str]]:
	"""Rows of Sync Entity Action: what people have in the form of the DocType, without methods."""
	if flow_of(meta.name):
		names = [WORKFLOW, *([AMEND] if meta.is_submittable else [])]
	else:
		names = list(OF_SUBMITTABLE) if meta.is_submittable else []
	return [{"action": name} for name in names]


def problem(name: str, meta: Meta) -> str:
	"""Why a DocType has no such action, or an empty text."""
	kind, _colon, rest = name.partition(":")
	if name in OF_SUBMITTABLE:
		return "" if meta.is_submittable else _("Documents of {0} cannot be submitted").format(meta.name)
	if kind == WORKFLOW:
		return _workflow_problem(rest, meta)
	if kind == METHOD and rest:
		return _method_problem(rest, meta)
	return _("{0} is no action; use submit, cancel, amend, workflow, workflow:NAME or method:NAME").format(
		name[:LONGEST]
	)


def _workflow_problem(step: str, meta: Meta) -> str:
	"""A Workflow may be made later, so that only an unknown step of an active one is wrong."""
	flow = flow_of(meta.name)
	if not step or flow is None or any(t.action == step for t in flow.transitions):
		return ""
	return _("The Workflow of {0} has no action {1}").format(meta.name, step)


def _method_problem(name: str, meta: Meta) -> str:
	method: Any = getattr(get_controller(meta.name), name, None)
	if inspect.isfunction(method) and method in frappe.whitelisted:
		return ""
	return _("The controller of {0} has no whitelisted method {1}").format(meta.name, name)
