"""What differs between Frappe 15 and 16, and what of Frappe's request handling we have to repeat."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import frappe
import tenacity
from frappe.auth import HTTPRequest
from frappe.core.doctype.file import file as frappes_file
from frappe.realtime import clear_realtime_log
from frappe.utils import CallbackManager, background_jobs

try:
	from frappe.auth import validate_auth
except ImportError:  # 15 before its first release
	from frappe.api import validate_auth


WKHTMLTOPDF = "wkhtmltopdf"  # the program by which Frappe makes PDFs, if nothing else is chosen
ONCE = tenacity.stop_after_attempt(1)


def override_of(method: str) -> str | None:
	"""The override of a call of Frappe's that runs, of all that apps name under `override_whitelisted_methods`."""
	found = frappe.get_hooks("override_whitelisted_methods").get(method)
	return found[RUNS] if found else None


# 15 before its first release runs the first one, everything since the last one.
RUNS = 0 if frappe.__version__ == "15.0.0-dev" else -1


def override_after(method: str, package: str) -> str | None:
	"""The override of a Frappe method that runs after the one of `package`; None if Frappe's own function is next."""
	found = frappe.get_hooks("override_whitelisted_methods").get(method) or []
	line = found if RUNS == 0 else found[::-1]
	ours = [place for place, name in enumerate(line) if name.startswith(package)]
	return next(iter(line[ours[0] + 1 :]), None) if ours else None


def be_impatient() -> None:
	"""Hook before every request: Frappe would try for seconds to reach the queue's Redis, longer than a phone waits.

	A worker has no requests, and goes on trying.
	"""
	retrying = getattr(background_jobs.get_redis_conn, "retry", None)
	if retrying is not None:
		retrying.stop = ONCE


def start_again(arguments: Mapping[str, Any]) -> None:
	"""Go through Frappe's start of a request once more with arguments that it could not read itself.

	Session, CSRF check, hooks before the request and authentication, as `frappe.app` does them.
	"""
	frappe.clear_messages()
	frappe.local.error_log = []
	frappe.local.response = frappe._dict({"docs": []})
	frappe.local.form_dict = frappe._dict(arguments)
	frappe.local.http_request = HTTPRequest()
	for path in frappe.get_hooks("before_request"):
		frappe.call(path)
	validate_auth()


def replica_database(settings: Mapping[str, Any]) -> Any:
	"""The site's read replica as Frappe is configured to reach it; not connected yet, and `frappe.db` stays what it is.

	`settings` are more arguments of the connection. None while Frappe itself reads everything from the replica.
	"""
	if hasattr(frappe.local, "primary_db"):
		return None
	primary = frappe.local.db
	try:
		frappe.connect_replica()
		database = frappe.local.replica_db
	finally:
		frappe.local.db = primary
		for name in ("primary_db", "replica_db"):
			if hasattr(frappe.local, name):
				delattr(frappe.local, name)
	plain = database.get_connection_settings
	# 15 before its first release takes the user's name for that of the database.
	database.get_connection_settings = lambda: {**plain(), "database": frappe.conf.db_name, **settings}
	return database


def waits(line: CallbackManager, callback: Callable[[], None]) -> bool:
	"""Whether a callback is still to be called; a line is emptied by a rollback, and shortened before each call."""
	return callback in line._functions


def put_last(line: CallbackManager, callback: Callable[[], None]) -> None:
	"""Let a callback that waits in a line run last."""
	line._functions.remove(callback)
	line._functions.append(callback)


def last_insert_id() -> int | None:
	"""What the last statement set with LAST_INSERT_ID(x); None if it did not, or if Frappe has sent another one since."""
	return frappe.db._cursor.lastrowid or None


def forget_announcements() -> None:
	"""Drop what was to be announced after a commit that failed.

	Frappe keeps it when a callback before the commit raises, and then announces nothing more in this process.
	"""
	clear_realtime_log()


def file_address(path: str, base: str) -> str:
	"""How a File names a call of this site. Some versions take only whole addresses for what is no file on their disk."""
	return path if path.startswith(getattr(frappes_file, "URL_PREFIXES", ())) else base + path


def missing_for_pdf(print_format: str) -> str | None:
	"""The program that Frappe needs for the PDF of a print format and that is not installed, or None."""
	if _generator(print_format) != WKHTMLTOPDF:
		return None
	return None if shutil.which(WKHTMLTOPDF) else WKHTMLTOPDF


def pdf_of(page: str, print_format: str) -> bytes:
	"""The PDF of a page, by what the print format names: wkhtmltopdf, or since 16 what a hook offers, such as Chrome."""
	from frappe.utils.pdf import get_pdf  # it brings a lot that only prints need

	generator = _generator(print_format)
	for hook in frappe.get_hooks("pdf_generator") if generator != WKHTMLTOPDF else ():
		made = frappe.call(
			hook, print_format=print_format, html=page, options={}, output=None, pdf_generator=generator
		)
		if made:
			return made
	return get_pdf(page)


def _generator(print_format: str) -> str:
	if not frappe.get_meta("Print Format").has_field("pdf_generator"):
		return WKHTMLTOPDF
	return frappe.db.get_value("Print Format", print_format, "pdf_generator") or WKHTMLTOPDF


def forget_metas(doctypes: Iterable[str]) -> None:
	"""Have Frappe read DocTypes anew; it may have put an old one into Redis after it had cleared the new one from there."""
	if hasattr(frappe, "client_cache"):  # 16
		for doctype in doctypes:
			frappe.client_cache.delete_value(f"doctype_meta::{doctype}")
		return
	for doctype in doctypes:
		frappe.cache.hdel("doctype_meta", doctype)


def forget_documents(documents: Iterable[tuple[str, str | None]]) -> None:
	"""Take `[(DocType, name)]` out of Frappe's cache of documents; one call of Redis for them all."""
	keys = [frappe.get_document_cache_key(doctype, name) for doctype, name in documents]
	if hasattr(frappe, "client_cache"):  # 16
		for key in keys:
			frappe.client_cache.delete_value(key)
		return
	frappe.cache.delete_value(keys)
