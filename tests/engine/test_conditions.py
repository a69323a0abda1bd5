"""Conditions of shares: both sides of a comparison are of the field's type, and what is none meets no condition."""

from datetime import date
from decimal import Decimal

import pytest

from hisabi_sync.engine.model.joint import Term, holds


@pytest.mark.parametrize(
	("term", "value", "expected"),
	[
		(Term("total", ">", 1000, "Currency"), Decimal("1500"), True),
		(Term("total", ">", 1000, "Currency"), "1500.00", True),
		(Term("total", ">", 1000, "Currency"), None, False),
		(Term("total", "<", 1000, "Currency"), None, True),
		(Term("total", ">", 1000, "Currency"), {}, False),
		(Term("due", ">", "2026-01-01", "Date"), date(2026, 2, 1), True),
		(Term("due", ">", "2026-01-01", "Date"), None, False),
		(Term("due", ">", "2026-01-01", "Date"), "never", False),
		(Term("due", "<", "2026-01-01", "Date"), "never", False),
		(Term("done", "=", 1, "Check"), True, True),
		(Term("status", "=", "Open", "Data"), "Open", True),
		(Term("status", "!=", "Open", "Data"), None, True),
		(Term("status", "in", ("Open", "Late"), "Data"), "Late", True),
		(Term("status", "not in", ("Open", "Late"), "Data"), None, True),
		(Term("rank", "in", (1, 2), "Int"), "2", True),
	],
)
def test_a_term_is_true(term, value, expected):
	assert holds((term,), {term.field: value}) is expected


def test_all_terms_must_be_true():
	terms = (Term("a", "=", 1, "Int"), Term("b", "=", 2, "Int"))
	assert holds((), {}) and holds(terms, {"a": 1, "b": 2}) and not holds(terms, {"a": 1, "b": 3})
