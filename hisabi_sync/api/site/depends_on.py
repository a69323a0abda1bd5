"""When a form shows a field, as plain data, for expressions that are as simple as most are. Source: docs/contracts/site.md, Schema.

Frappe writes such a condition as the name of a field, or as JavaScript behind `eval:`. A device must not run that.
"""

import json
import re
from typing import Any

FIELD = r"doc\.(?P<field>\w+)"
ONE = r"(?:'[^'\\]*'|\"[^\"\\]*\"|-?\d+)"
VALUE = rf"(?P<value>{ONE})"
LIST = rf"\[(?P<values>\s*{ONE}\s*(?:,\s*{ONE}\s*)*)\]"
# Pattern of a whole expression -> operator. The first that fits counts.
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
	(re.compile(rf"\s*{pattern}\s*;?\s*"), operator)
	for pattern, operator in (
		(r"(?P<field>\w+)", "set"),
		(rf"eval:\s*{FIELD}", "set"),
		(rf"eval:\s*!\s*{FIELD}", "not set"),
		(rf"eval:\s*{FIELD}\s*===?\s*{VALUE}", "="),
		(rf"eval:\s*{FIELD}\s*!==?\s*{VALUE}", "!="),
		(rf"eval:\s*in_list\(\s*{LIST}\s*,\s*{FIELD}\s*\)", "in"),
		(rf"eval:\s*{LIST}\s*\.includes\(\s*{FIELD}\s*\)", "in"),
	)
)
CONSTANT = re.compile(ONE)
LONGEST = 1000  # characters; what is longer is not simple


def read(text: str | None) -> dict[str, Any] | None:
	"""`{"field", "operator", "value"}`: None without a condition, `{"expression": true}` if it is not simple."""
	if not (text or "").strip():
		return None
	for pattern, operator in PATTERNS:
		found = pattern.fullmatch(text or "") if len(text or "") <= LONGEST else None
		if found:
			return {"field": found["field"], "operator": operator, **_value(found.groupdict())}
	return {"expression": True}


def _value(groups: dict[str, str | None]) -> dict[str, Any]:
	one, many = groups.get("value"), groups.get("values")
	if many is not None:
		return {"value": [_constant(part[0]) for part in CONSTANT.finditer(many)]}
	return {"value": _constant(one)} if one is not None else {}


def _constant(text: str) -> Any:
	return text[1:-1] if text[0] in "'\"" else json.loads(text)
