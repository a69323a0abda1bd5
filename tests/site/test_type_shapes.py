"""What a change of a type breaks in apps that were built before it. Pure."""

import pytest

from hisabi_sync.api.site import type_shapes


def field(name, **facts):
	given = {"kind": "text", "required": False, "read_only": False, "options": None, "default": None}
	options = [{"value": one, "label": one} for one in facts.pop("options", ())] or None
	return {"wire_name": name, **given, **facts, "options": options}


def shape(*fields, minimum=0, **tables):
	listed = [{"wire_name": name, "fields": columns} for name, columns in tables.items()]
	return type_shapes.of_type({"client_minimum": minimum, "fields": fields, "tables": listed})


OLD = shape(field("a"), field("b", options=["x", "y"]), lines=[field("c")])


@pytest.mark.parametrize(
	("now", "aliases", "expected"),
	[
		(OLD, {}, []),
		(shape(field("a"), field("b", options=["x", "y"]), field("new"), lines=[field("c")]), {}, []),
		(shape(field("b", options=["x", "y", "z"]), field("a"), lines=[field("c")]), {}, []),
		(shape(field("b", options=["x", "y"]), lines=[field("c")]), {}, [("a", "removed")]),
		(shape(field("aa"), field("b", options=["x", "y"]), lines=[field("c")]), {"a": "aa"}, []),
		(
			shape(field("aa"), field("b", options=["x", "y"]), lines=[field("c")]),
			{"a": "gone"},
			[("a", "removed")],
		),
		(
			shape(field("a", required=True), field("b", options=["x", "y"]), lines=[field("c")]),
			{},
			[("a", "required")],
		),
		(
			shape(field("a", required=True, default="1"), field("b", options=["x", "y"]), lines=[field("c")]),
			{},
			[],
		),
		(
			shape(field("a"), field("b", options=["x", "y"]), field("n", required=True), lines=[field("c")]),
			{},
			[("n", "required")],
		),
		(
			shape(field("a", kind="integer"), field("b", options=["x", "y"]), lines=[field("c")]),
			{},
			[("a", "kind")],
		),
		(
			shape(field("a", read_only=True), field("b", options=["x", "y"]), lines=[field("c")]),
			{},
			[("a", "read_only")],
		),
		(shape(field("a"), field("b", options=["x"]), lines=[field("c")]), {}, [("b", "options")]),
		(shape(field("a"), field("b", options=["x", "y"]), lines=[field("d")]), {}, [("lines.c", "removed")]),
		(shape(field("a"), field("b", options=["x", "y"])), {}, [("lines", "removed")]),
		(shape(field("a"), field("b", options=["x", "y"]), rows=[field("c")]), {"lines": "rows"}, []),
	],
)
def test_what_breaks(now, aliases, expected):
	found = type_shapes.breaking("T", OLD, now, aliases)
	assert [(one["field"], one["change"]) for one in found] == expected


def test_what_is_gone_or_forgotten_is_named():
	assert type_shapes.breaking("T", OLD, None, {}) == [{"type": "T", "field": None, "change": "removed"}]
	assert type_shapes.breaking("T", None, OLD, {}) == [{"type": "T", "field": None, "change": "unknown"}]


def test_a_renamed_field_has_the_name_that_the_app_knows():
	now = shape(field("aa"), field("b"), rows=[field("c")])
	assert type_shapes.renamed(OLD, now, {"a": "aa", "lines": "rows"}) == {"aa": "a", "rows": "lines"}
