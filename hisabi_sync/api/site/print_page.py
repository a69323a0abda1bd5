"""The page of a print that a device keeps: whole in itself, and without anything that runs or tells others."""

import base64
import mimetypes
from pathlib import Path
from urllib.parse import unquote

import frappe
from bs4 import BeautifulSoup, Tag
from frappe.utils import escape_html
from frappe.utils.jinja_globals import bundled_asset, is_rtl

from hisabi_sync.api.site.stored_files import path_of
from hisabi_sync.engine.model.errors import RequestError

# Also in the page itself, because a kept page has lost its headers.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
RUNS = [
	"script",
	"iframe",
	"frame",
	"object",
	"embed",
	"applet",
	"base",
	"link",
	"meta",
	"form",
	"noscript",
	"template",
]
ADDRESSES = ("href", "src", "action", "formaction", "xlink:href", "srcset")
SAFE = (
	"http://",
	"https://",
	"mailto:",
	"tel:",
	"#",
	"data:image/png",
	"data:image/jpeg",
	"data:image/gif",
	"data:image/webp",
)
LARGEST = 1024 * 1024  # bytes of a picture; larger ones are left out
BUNDLE = "print.bundle.css"


def page(html: str, style: str, title: str) -> str:
	"""A whole page of what Frappe's print view gives: without scripts, with its styles and the public pictures of the site."""
	soup = BeautifulSoup(html, "html.parser")
	for tag in soup(RUNS):
		tag.decompose()
	for tag in soup(True):
		_clean(tag)
	direction = "rtl" if is_rtl() else "ltr"
	styles = f"{_bundle()}\n{style}".replace("</", "<\\/")
	return (
		f'<!doctype html><html lang="{escape_html(frappe.local.lang)}" dir="{direction}"><head><meta charset="utf-8">'
		f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
		'<meta name="viewport" content="width=device-width, initial-scale=1">'
		f"<title>{escape_html(title)}</title><style>{styles}</style></head>"
		f'<body><div class="print-format-gutter"><div class="print-format">{soup}</div></div></body></html>'
	)


def _clean(tag: Tag) -> None:
	for name in list(tag.attrs):
		if name.lower().startswith("on"):
			del tag[name]
	if tag.name == "img":
		tag["src"] = _picture(str(tag.get("src") or ""))
	for name in ADDRESSES:
		if name in tag.attrs and not str(tag[name]).strip().lower().startswith(SAFE):
			del tag[name]


def _picture(address: str) -> str:
	"""A picture of the site's public files as data, so that the page shows it offline; another address as it is."""
	try:
		path = path_of(unquote(address)) if address.startswith("/files/") else None
	except RequestError:
		return ""
	kind = mimetypes.guess_type(path.name)[0] if path else None
	if path is None or kind is None or path.stat().st_size > LARGEST:
		return address
	return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _bundle() -> str:
	"""Frappe's own styles of prints, where they are built."""
	path = Path(frappe.local.sites_path) / str(bundled_asset(BUNDLE, is_rtl())).lstrip("/")
	return path.read_text() if path.is_file() else ""
