"""Who listens to the events of a DocType, and on which DocTypes each known listener acts.

Statements that write many rows run no handlers. So a DocType is written in bulk only if nothing would come of its events. An
app may listen to every DocType and act on a few, as ERPNext does: the hook `sync_listeners` says so of a handler. Of a handler
that nobody knows, everything is expected.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import frappe
from frappe.model.meta import Meta

HOOK = "sync_listeners"
OWN_APPS = ("frappe", "hisabi_sync")

# What people make in the Desk that makes a save more than a row in a table.
# DocType: (field that names the DocType it listens to, field that switches it on, its value when on).
EVENT_SOURCES = {
	"Server Script": ("reference_doctype", "disabled", 0),
	"Webhook": ("webhook_doctype", "enabled", 1),
	"Notification": ("document_type", "enabled", 1),
	"Assignment Rule": ("document_type", "disabled", 0),
	"Milestone Tracker": ("document_type", "disabled", 0),
	"Energy Point Rule": ("reference_doctype", "enabled", 1),
	"Workflow": ("document_type", "is_active", 1),
}
# A push neither renames, submits nor cancels what it writes in bulk.
NEVER_RUN = frozenset(
	"before_rename after_rename before_submit on_submit before_cancel on_cancel before_update_after_submit "
	"on_update_after_submit before_print".split()
)
Reason = tuple[str, tuple[str, ...]]  # (which sentence, the names in it), see `write_mode`


@dataclass(frozen=True, slots=True)
class Listener:
	"""A handler that an app has in its `doc_events`, and the DocTypes on which it acts.

	`acts_on` takes the Meta of a DocType. It looks at nothing but that Meta and at documents of the DocTypes that `reads`
	names: entity types are compiled again when one of those is saved or deleted.
	"""

	handler: str
	acts_on: Callable[[Meta], bool]
	reads: tuple[str, ...] = ()


def _has_agreement(meta: Meta) -> bool:
	"""ERPNext looks at agreements that are switched off as well."""
	source = "Service Level Agreement"
	return bool(
		frappe.db.exists("DocType", source) and frappe.db.exists(source, {"document_type": meta.name})
	)


ERPNEXT_AGREEMENTS = Listener(
	"erpnext.support.doctype.service_level_agreement.service_level_agreement.apply",
	_has_agreement,
	("Service Level Agreement",),
)
# It refuses documents of a company whose transactions are being deleted.
ERPNEXT_DELETIONS = Listener(
	"erpnext.setup.doctype.transaction_deletion_record.transaction_deletion_record.check_for_running_deletion_job",
	lambda meta: meta.has_field("company"),
)


def known() -> Mapping[str, Listener]:
	"""{handler: Listener} of the hook `sync_listeners`. What is none is left out, so that its handler is unknown."""
	return _load(tuple(frappe.get_hooks(HOOK)))[0]


def watched() -> frozenset[str]:
	"""DocTypes whose documents decide on which others a known listener acts."""
	return _load(tuple(frappe.get_hooks(HOOK)))[1]


@cache
def _load(paths: tuple[str, ...]) -> tuple[Mapping[str, Listener], frozenset[str]]:
	found = [listener for path in paths if isinstance(listener := _attribute(path), Listener)]
	reads = frozenset(doctype for listener in found for doctype in listener.reads)
	return {listener.handler: listener for listener in found}, reads


def _attribute(path: str) -> Any:
	with suppress(Exception):  # every save on the site asks for these
		return frappe.get_attr(path)


def reasons(meta: Meta) -> list[Reason]:
	"""Who acts on documents of a DocType when they are saved: other apps, and what people made in the Desk."""
	acting = [_reason(meta, *found) for found in _handlers(meta.name) if _acts(found[3], meta)]
	made = ((source, _listening(source, meta.name)) for source in EVENT_SOURCES)
	return acting + [("made", (source, name, meta.name)) for source, name in made if name]


def _reason(meta: Meta, app: str, key: str, event: str, handler: str) -> Reason:
	return ("every", (app, event, handler)) if key == "*" else ("this", (app, event, meta.name, handler))


def _handlers(doctype: str) -> Iterator[tuple[str, str, str, str]]:
	"""(app, `*` or the DocType, event, handler) of what other apps run when a document is saved or deleted."""
	for app in frappe.get_installed_apps():
		if app in OWN_APPS:
			continue
		for keys, events in (frappe.get_hooks("doc_events", app_name=app) or {}).items():
			for key in {"*", doctype}.intersection(_as_tuple(keys)):
				yield from (
					(app, key, event, handler)
					for event, handlers in events.items()
					for handler in _as_tuple(handlers)
					if event not in NEVER_RUN
				)


def _acts(handler: str, meta: Meta) -> bool:
	"""Whether a handler may act on a DocType. One that is unknown, or cannot say, may."""
	listener = known().get(handler)
	if listener is None:
		return True
	try:
		return bool(listener.acts_on(meta))
	except Exception:
		frappe.log_error(f"{HOOK}: {handler} cannot say whether it acts on {meta.name}")
		return True


def _listening(source: str, doctype: str) -> str | None:
	link, switch, on = EVENT_SOURCES[source]
	there = frappe.db.exists("DocType", source)
	return frappe.db.exists(source, {link: doctype, switch: on}) if there else None


def _as_tuple(value: Any) -> tuple[Any, ...]:
	return tuple(value) if isinstance(value, (list, tuple)) else (value,)
