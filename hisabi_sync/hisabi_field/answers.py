"""Answers of a submission against the version of the form that they were given to."""

import json
from collections.abc import Mapping
from typing import Any

import frappe

from hisabi_sync.hisabi_field import definitions


def definition_of(form: str | None, version: str | None = None) -> tuple[str, str | None]:
	"""(version, JSON text of its definition) of a form, the current version when none is named.

	The text is None when the form has no such version. Older versions stay valid as long as the form is there.
	"""
	doc = frappe.get_cached_doc("Field Form", form)
	chosen = version or doc.version
	texts = {row.version: row.definition for row in doc.versions}
	return chosen, texts.get(chosen)


def problems(definition: str, data: Any) -> dict[str, tuple[str, str]]:
	"""What is wrong with the answers: `{path: (type of error, reason)}`."""
	if not isinstance(data, dict):
		return {"": ("dict_type", frappe._("wrong type"))}
	return definitions.problems(definition, data)


def files_of(values: Mapping[str, Any], present: Mapping[str, Any]) -> list[Any]:
	"""What a submission names of files, in `media` and in its answers to photo questions."""
	form, version, data = (values.get(n, present.get(n)) for n in ("form_id", "form_version", "data"))
	_, definition = definition_of(form, version)
	photos = definitions.media_keys(definition, data) if definition and data else []
	listed = values.get("media", present.get("media")) or []
	return [*listed, *photos] if isinstance(listed, list) else [listed]


def parsed(value: Any) -> Any:
	"""A JSON field of a document as a value; it is a text in a form of the Desk."""
	return json.loads(value) if isinstance(value, str) and value else value
