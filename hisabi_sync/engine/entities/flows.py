"""The active Workflow of a DocType, as data."""

import frappe
from frappe.model.workflow import get_workflow_name

from hisabi_sync.engine.model.actions import Flow, Transition


def of(doctype: str) -> Flow | None:
	"""The Flow of a DocType, None if it has no active Workflow."""
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
