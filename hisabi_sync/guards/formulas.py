"""Exports for spreadsheets: what devices and peers wrote is a text there, and no formula that the spreadsheet computes.

It looks at what Frappe's exports answer, whichever of its calls made it, so that nothing stands before those calls.
"""

import re
import zipfile
from io import BytesIO

import frappe
from werkzeug.wrappers import Request, Response

# Frappe's words for answers that it makes itself; files that people uploaded are none of them.
MADE = ("csv", "binary")
NUMBER = re.compile(r"[-+]?[\d.,]*\d(?:[eE][-+]?\d+)?%?")
STARTS = ("=", "+", "-", "@", "\t", "\r")
SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
# A cell with a formula as openpyxl writes it for every text that begins with `=`.
FORMULA = re.compile(rb"<c ([^>]*)><f>([^<]*)</f><v\s*(?:/>|></v>)</c>")


def finish(response: Response | None = None, request: Request | None = None) -> None:
	"""Hook after a request: an export's cells that a spreadsheet would compute become texts."""
	kind = frappe.local.response.get("type") if response is not None else None
	if response is None or kind not in MADE or response.status_code != 200 or response.is_streamed:
		return
	name = str(frappe.local.response.get("filename") or "")
	if name.endswith(".xlsx"):
		response.set_data(without_formulas(response.get_data()))
	elif kind == "csv" or name.endswith(".csv"):
		response.set_data(plain_csv(response.get_data(as_text=True), _delimiter()))


def _delimiter() -> str:
	sent = frappe.form_dict.get("csv_delimiter")
	return sent if isinstance(sent, str) and len(sent) == 1 and sent != '"' else ","


def plain_csv(text: str, delimiter: str = ",") -> str:
	"""The same table in which a cell that a spreadsheet would compute begins with an apostrophe."""
	other = rf"[^{re.escape(delimiter)}\r\n"
	cell = re.compile(rf'"((?:[^"]|"")*)"|({other}"]{other}]*)')
	return cell.sub(_plain_cell, text)


def _plain_cell(found: re.Match) -> str:
	quoted = found[1] is not None
	value = found[1] if quoted else found[2]
	if not is_computed(value):
		return found[0]
	return f'"\'{value}"' if quoted else f"'{value}"


def is_computed(text: str) -> bool:
	"""Whether a spreadsheet would take a cell's text for something to compute; a number stays a number."""
	return text.startswith(STARTS) and not NUMBER.fullmatch(text)


def without_formulas(content: bytes) -> bytes:
	"""The same workbook in which what began with `=` is a text; its characters stay what they are."""
	with zipfile.ZipFile(BytesIO(content)) as book:
		parts = [(info, book.read(info)) for info in book.infolist()]
	if not any(SHEET.fullmatch(info.filename) and b"<f>" in data for info, data in parts):
		return content
	made = BytesIO()
	with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as book:
		for info, data in parts:
			book.writestr(info, FORMULA.sub(_as_text, data) if SHEET.fullmatch(info.filename) else data)
	return made.getvalue()


def _as_text(found: re.Match) -> bytes:
	return b'<c %s t="inlineStr"><is><t xml:space="preserve">=%s</t></is></c>' % found.groups()
