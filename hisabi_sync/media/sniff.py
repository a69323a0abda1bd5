"""What the first bytes of an upload say about it, against what the device announced."""

import codecs

import filetype

from hisabi_sync.engine.model.errors import RequestError
from hisabi_sync.media import names

HEAD = 8192  # bytes that are looked at
# Types that name one format, or whose beginnings cannot be told apart.
FAMILIES = (
	"image/jpeg image/jpg image/pjpeg",
	"image/png image/apng image/x-png",
	"image/heic image/heif image/heic-sequence image/heif-sequence image/avif",
	"image/bmp image/x-ms-bmp image/x-bmp",
	"image/tiff image/x-canon-cr2 image/x-adobe-dng",
	"image/x-icon image/vnd.microsoft.icon",
	"video/mp4 video/x-m4v video/quicktime video/3gpp video/3gpp2 audio/mp4 audio/x-m4a audio/m4a audio/3gpp",
	"video/x-matroska video/webm audio/webm audio/x-matroska",
	"video/x-msvideo video/avi",
	"audio/ogg video/ogg application/ogg audio/opus",
	"audio/x-wav audio/wav audio/wave audio/vnd.wave",
	"audio/mpeg audio/mp3 audio/mpeg3",
	"audio/x-flac audio/flac",
	"audio/aac audio/x-aac audio/aacp",
	"audio/midi audio/x-midi",
	"application/gzip application/x-gzip",
	"application/x-rar-compressed application/vnd.rar",
	"application/rtf text/rtf",
	"application/msword application/vnd.ms-excel application/vnd.ms-powerpoint",
	"application/zip application/x-zip-compressed application/epub+zip "
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document "
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet "
	"application/vnd.openxmlformats-officedocument.presentationml.presentation "
	"application/vnd.oasis.opendocument.text application/vnd.oasis.opendocument.spreadsheet "
	"application/vnd.oasis.opendocument.presentation",
)
FAMILY = {name: group.split()[0] for group in FAMILIES for name in group.split()}
RECOGNISED = {FAMILY.get(kind.MIME, kind.MIME) for kind in filetype.TYPES}
# An upload that says it is one of these must begin like one; others may have beginnings that nobody knows.
STRICT = {f for f in RECOGNISED if f.startswith("image/")} | {"application/pdf", "application/zip"}
MARKUP = (b"<html", b"<!doctype", b"<script", b"<svg", b"<?xml", b"<?php", b"<iframe", b"<body", b"<head")
PACKAGES = (b"META-INF/", b"AndroidManifest.xml", b"classes.dex")
BINARIES = (
	b"\x7fELF",
	b"\xfe\xed\xfa",
	b"\xcf\xfa\xed\xfe",
	b"\xce\xfa\xed\xfe",
	b"\xca\xfe\xba\xbe",
	b"\0asm",
	b"dex\n",
)


def check(head: bytes, content_type: str) -> None:
	"""Raises RequestError media_type_refused for what could run, media_type_mismatch for another type than announced."""
	text = _text(head)
	guessed = filetype.guess_mime(head)
	if _runs(head, text, guessed):
		raise RequestError("media_type_refused", content_type=content_type)
	if content_type == names.ANY_TYPE or (text is not None and content_type.startswith("text/")):
		return
	if not _agrees(guessed, content_type):
		raise RequestError("media_type_mismatch", content_type=content_type, found=guessed)


def _agrees(guessed: str | None, content_type: str) -> bool:
	announced = FAMILY.get(content_type, content_type)
	if guessed is None:
		return announced not in STRICT
	if announced not in RECOGNISED:
		return not content_type.startswith("text/")
	return FAMILY.get(guessed, guessed) == announced


def _text(head: bytes) -> bytes | None:
	"""The beginning as bytes of lower case text, or None when it is no text."""
	for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
		if head.startswith(mark):
			return head[2:].decode(encoding, "ignore").replace("\0", "").encode().lower().lstrip()
	if b"\0" in head:
		return None
	return head.removeprefix(codecs.BOM_UTF8).lower().lstrip()


def _runs(head: bytes, text: bytes | None, guessed: str | None) -> bool:
	if text is None and guessed is None:
		text = head.replace(
			b"\0", b""
		).lower()  # markup in two or four bytes a letter, without a mark before it
	if head.startswith(BINARIES):
		return True
	if text is not None:
		return text.startswith(b"#!") or any(mark in text for mark in MARKUP)
	if guessed == "application/zip" and any(mark in head for mark in PACKAGES):
		return True
	return guessed in names.REFUSED_TYPES
