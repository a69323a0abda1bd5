"""The OpenAPI document of all calls, made from what checks them: routes, models, error codes and contracts' shapes.

It is made from the code alone, so that it says nothing about a site and is the same everywhere.
"""

import functools
import json
from typing import Any

from hisabi_sync.api.openapi import describe


@functools.cache
def text() -> str:
	"""The document as JSON text, one line for each value, as it is committed and served."""
	return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


@functools.cache
def document() -> dict[str, Any]:
	"""The document as a dict, made once a process: every call once, by its shortest name."""
	return describe.document()


@functools.cache
def every_way() -> dict[str, Any]:
	"""The same with all names of all calls, for what holds answers against it."""
	return describe.document(every=True)
