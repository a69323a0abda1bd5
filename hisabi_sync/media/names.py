"""File names and content types from devices: cleans them, and refuses those that could run."""

import re
import unicodedata

from hisabi_sync.engine.model import texts
from hisabi_sync.engine.model.errors import RequestError

MAX_NAME = 140
TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
ANY_TYPE = "application/octet-stream"

# What a browser or an operating system would run, or treat as a page of this site.
REFUSED_TYPES = frozenset(
	"application/ecmascript application/hta application/java-archive application/java-vm application/javascript "
	"application/vnd.android.package-archive application/vnd.microsoft.portable-executable application/wasm "
	"application/x-bat application/x-csh application/x-deb application/x-dosexec application/x-elf "
	"application/x-executable application/x-google-chrome-extension application/x-httpd-php application/x-java-applet "
	"application/x-javascript application/x-mach-binary application/x-msdos-program application/x-msdownload "
	"application/x-msi application/x-perl application/x-php application/x-python-code application/x-rpm "
	"application/x-sh application/x-sharedlib application/x-shellscript application/x-shockwave-flash "
	"application/xhtml+xml application/xml application/xslt+xml image/svg+xml message/rfc822 multipart/related "
	"text/ecmascript text/html text/javascript text/jscript text/vbscript text/x-php text/x-python text/x-script "
	"text/x-sh text/x-shellscript text/xml text/xsl".split()
)
REFUSED_ENDINGS = frozenset(
	"action apk app asp aspx bash bat cer cgi chm class cmd com cpl crx csh deb desktop dll dmg ear elf eml exe "
	"fish gadget hta htaccess htm html inf ins ipa iso jar js jse jsp jspx ksh lnk mht mhtml mjs msc msi msp mst ocx "
	"out phar php php3 php4 php5 pht phtml pif pl ps1 psm1 py pyc pyo pyw rb reg rpm scf scr sct sh shs shtml so svg "
	"svgz swf sys url vb vbe vbs war wasm ws wsc wsf wsh xht xhtm xhtml xml xpi xsl xslt zsh".split()
)


def clean_name(text: str) -> str:
	"""The last part of a path, at most 140 characters; never empty, `.` or `..`.

	Without control characters, and with look-alikes of what pages of Frappe would take for an attribute or an entity.
	"""
	text = re.split(r"[/\\]", as_read(text))[-1]
	text = "".join(c for c in text if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*')
	text = texts.plain(text.strip(" ."), len(text))
	stem, dot, ending = text.rpartition(".")
	if len(text) > MAX_NAME and dot and len(ending) < 20:
		return f"{stem[: MAX_NAME - len(ending) - 1]}.{ending}"
	return text[:MAX_NAME] or "file"


def as_read(text: str) -> str:
	"""A name in the letters that programs take it for: full-width, ligature and styled letters are plain ones."""
	return unicodedata.normalize("NFKC", text)


def _as_ascii(text: str) -> str:
	"""What is left of a name where only ASCII may stand, as in the plain `filename` of a download."""
	return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def plain_type(text: str) -> str:
	"""A content type without parameters, in lower case."""
	return text.partition(";")[0].strip().lower()


def clean_type(text: str) -> str:
	"""The plain content type in lower case. Raises RequestError invalid_argument."""
	plain = plain_type(text)
	if not TYPE.fullmatch(plain):
		raise RequestError("invalid_argument", argument="content_type")
	return plain


def check(name: str, content_type: str) -> None:
	"""Raises RequestError media_type_refused for what could run. `name` is one that `clean_name` gave."""
	if content_type in REFUSED_TYPES or content_type.endswith(("+xml", "-script", "script+json")):
		raise RequestError("media_type_refused", content_type=content_type)
	if ending := _active_ending(name):
		raise RequestError("media_type_refused", ending=ending)


def _active_ending(name: str) -> str | None:
	"""The ending by which somebody would run the file, in one of the ways in which the name is read."""
	for read in (name, as_read(name), _as_ascii(name)):
		_, dot, ending = read.strip(" .").rpartition(".")
		if dot and ending.lower() in REFUSED_ENDINGS:
			return ending.lower()
	return None


def harmless(name: str) -> str:
	"""A stored name for a download; one that was taken before its ending was refused gets another."""
	return f"{name}.bin" if _active_ending(name) else name
