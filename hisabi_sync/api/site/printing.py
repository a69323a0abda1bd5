"""A record as its print format shows it, to keep on the device: as a PDF, or as a page. Source: docs/contracts/site.md, Print."""

from collections.abc import Iterator
from contextlib import contextmanager

import frappe
from frappe.core.doctype.access_log.access_log import make_access_log
from frappe.model.document import Document
from frappe.utils import strip_html
from frappe.www.printview import get_html_and_style
from werkzeug.wrappers import Response

from hisabi_sync import compat
from hisabi_sync.api.site import print_page
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.identity import budgets
from hisabi_sync.engine.model import errors
from hisabi_sync.engine.model.change import Caller
from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.engine.pull import Item

PDF, HTML = "pdf", "html"
TYPES = {PDF: "application/pdf", HTML: "text/html; charset=utf-8"}
HEADERS = {
	"X-Content-Type-Options": "nosniff",
	"Content-Security-Policy": f"{print_page.POLICY}; sandbox",
	"Cache-Control": "private, no-store",
	"Referrer-Policy": "no-referrer",
	"Content-Disposition": "attachment",
}


def answer(item: Item, form: str | None, caller: Caller) -> Response:
	"""The print of a record that the caller is shown, in the language of the user.

	Raises RequestError: permission_denied, print_budget_used, pdf_unavailable, print_failed.
	"""
	form = form or PDF
	entity = registry().by_name[item.entity_type]
	doc = frappe.get_doc(entity.doctype, item.document_name)
	if not frappe.has_permission(doc.doctype, "print", doc=doc):
		raise RequestError("permission_denied")
	budgets.spend(budgets.PRINTS, caller)
	print_format = entity.print_format or doc.meta.default_print_format or "Standard"
	if form == PDF and (missing := compat.missing_for_pdf(print_format)):
		raise RequestError("pdf_unavailable", missing=missing)
	with _in_language_of(caller.user):
		made = _made(doc, print_format, form)
	make_access_log(doctype=doc.doctype, document=doc.name, file_type=form.upper(), method="Print")
	return Response(made, content_type=TYPES[form], headers=HEADERS)


def _made(doc: Document, print_format: str, form: str) -> str | bytes:
	"""What Frappe makes of the document. Whatever a template or a controller raises is an answer, and no mistake of the server."""
	try:
		said = get_html_and_style(doc=doc.doctype, name=doc.name, print_format=print_format)
		if said["html"] is None:
			raise RequestError("print_failed")
		page = print_page.page(said["html"], said["style"], str(doc.get_title() or doc.name))
		return compat.pdf_of(page, print_format) if form == PDF else page
	except RequestError:
		raise
	except frappe.PermissionError as error:
		raise RequestError("permission_denied", _sentence(error)) from error
	except Exception as error:
		if retry.is_away(error) or retry.ends_transaction(error) or retry.is_retryable(error):
			raise
		errors.log_once(f"printing a {doc.doctype} failed", error)
		raise RequestError("print_failed", _sentence(error)) from error


def _sentence(error: Exception) -> str | None:
	"""What Frappe says of a refusal; nothing of any other error, which may hold values."""
	frappe.clear_messages()
	if not isinstance(error, frappe.ValidationError | frappe.PermissionError):
		return None
	return " ".join(strip_html(str(error)).split()) or None


@contextmanager
def _in_language_of(user: str) -> Iterator[None]:
	before = frappe.local.lang
	frappe.local.lang = frappe.db.get_value("User", user, "language") or before
	try:
		yield
	finally:
		frappe.local.lang = before
