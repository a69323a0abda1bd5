"""The codes of the whole app: each package registers its own when it is imported."""

import importlib

from hisabi_sync.engine.model import errors
from tests.docs.imports import APP

MODULES = {
	path: ".".join(("hisabi_sync", *path.relative_to(APP).with_suffix("").parts))
	for path in APP.rglob("codes.py")
}


def requests():
	"""{code: (HTTP status, sentence, retryable)}"""
	_load()
	return errors.REQUEST_ERRORS


def items():
	"""{code: sentence}"""
	_load()
	return errors.ITEM_ERRORS


def _load():
	for module in MODULES.values():
		importlib.import_module(module)
