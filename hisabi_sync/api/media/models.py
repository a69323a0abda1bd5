"""What the calls about media take and give. Source: docs/contracts/mobile.md."""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import WithJsonSchema

from hisabi_sync.api.protocol import arguments as args
from hisabi_sync.api.protocol.schema import Answer, Flag, OptionalText, Raw, Request, Text, checked, whole
from hisabi_sync.engine.model import strict_json
from hisabi_sync.engine.model.errors import RequestError

SHA256 = re.compile(r"[0-9a-fA-F]{64}")
KEY = re.compile(r"[0-9a-f]{32}")
LARGEST = 2**62


def filename(arguments: args.Arguments, name: str) -> str:
	"""A text of any length that UTF-8 can write; it is shortened when it is cleaned."""
	value = arguments.get(name)
	if not isinstance(value, str) or not value or not strict_json.is_text_writable(value):
		raise RequestError("invalid_argument", argument=name)
	return value


def _matching(pattern: re.Pattern[str]) -> Any:
	words = {"type": ["string", "null"], "pattern": f"^({pattern.pattern})?$"}
	return checked(str | None, args.pattern, words, pattern)


def key(arguments: args.Arguments, name: str) -> str | None:
	"""The key of an upload."""
	args.text(arguments, name)
	return args.pattern(arguments, name, KEY)


FileName: Any = checked(str, filename, {"type": "string", "minLength": 1})
Key: Any = checked(str, key, {"type": "string", "pattern": f"^{KEY.pattern}$"})
Checksum: Any = _matching(SHA256)
Signed = Annotated[Any, WithJsonSchema({"type": "string"})]  # judged with the signature


class WantedFile(Request):
	"""The file that is going to be uploaded. If `size` (bytes) or `sha256` is given, the upload must match it."""

	filename: FileName
	content_type: Text
	size: whole(1, LARGEST, 0) = 0
	sha256: Checksum = None


class Presign(Request):
	"""A new upload has `filename` and `content_type`; with a `key` an upload that has not ended goes on."""

	wallet_id: Text
	key: _matching(KEY) = None
	filename: FileName = None
	content_type: OptionalText = None
	size: whole(1, LARGEST, 0) = 0
	sha256: Checksum = None
	device_id: OptionalText = None


class Download(Request):
	key: Key
	device_id: OptionalText = None


class View(Request):
	key: Key
	download: Flag = False


class SignedUrl(Request):
	"""The query of a signed URL, as it was handed out."""

	key: Signed
	expires: Signed
	holder: Signed
	device: Signed
	nonce: Signed
	signature: Signed


class UploadUrl(SignedUrl):
	headers: ClassVar[dict] = {
		"Content-Range": "`bytes FIRST-LAST/TOTAL` of a part; `bytes */TOTAL` asks how far the upload is"
	}


class DownloadUrl(SignedUrl):
	headers: ClassVar[dict] = {"Range": "`bytes=FIRST-LAST`, to go on with a download"}


class Upload(Answer):
	"""Where and how to upload: PUT the content with these `headers`, whole or in parts of `part_bytes`."""

	key: str
	method: Literal["PUT"]
	upload_url: str
	headers: dict[str, str]
	expires_in: int
	max_bytes: int
	file_name: str
	file_url: str
	received: int
	part_bytes: int = None


class DownloadAnswer(Answer):
	url: str
	method: Literal["GET"]
	expires_in: int
	key: str
	file_name: str
	content_type: str
	size: int
	sha256: str


class UploadState(Answer):
	"""`size` and `sha256` are known when the upload has ended."""

	key: str
	state: Literal["pending", "uploaded", "refused", "used"]
	received: int
	size: int | None
	sha256: str | None


class File(Raw):
	"""The file as an attachment."""

	content: ClassVar[str] = "*/*"
	statuses: ClassVar[dict] = {
		200: "The file",
		206: "The part of the file that `Range` names",
		302: "Where S3 has the file, for a minute",
		304: "The file is the one that the client has",
	}
