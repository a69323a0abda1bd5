"""What an attacker sends: values and bodies that break those who trust them."""

import gzip
import json

from hypothesis import strategies as st

TEXTS = (
	"",
	" ",
	"\0",
	"a\0b",
	"\u202e\u200b\ufeff",
	"\U0001f600" * 50,
	"e\u0301" * 70,
	"\u0130\u0131\u1e9e\ufb01",
	"x" * 141,
	"x" * 100_000,
	"' OR '1'='1",
	"x'); DROP TABLE `tabSync Space`; -- ",
	"` , (SELECT password FROM __Auth LIMIT 1) AS `x",
	"\\' UNION SELECT 1,2,3 -- ",
	"%s%(name)s{0}{x.__class__}",
	"{{ 7 * 7 }}{% for x in frappe.db.sql('x') %}{% endfor %}",
	"../../../../etc/passwd",
	"..%2f..%2f" + "0" * 22,
	"/etc/passwd",
	"file:///etc/passwd",
	"http://169.254.169.254/latest/meta-data/",
	"<script>alert(1)</script>",
	"\r\nSet-Cookie: sid=Administrator",
	"Administrator",
	"Guest",
	"NaN",
	"1e400",
	"9" * 400,
	"-1",
	"0x10",
	"2026-13-45T99:99:99Z",
	"0000-00-00",
	"9999-12-31T23:59:59.999999+23:59",
	"[" * 40,
	'{"a": 1}',
	"[null]",
	"true",
)
NUMBERS = (0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**300, 1e308, -0.0, 1.5, 1e-320)


def nested(levels, shape):
	value = 1
	for _ in range(levels):
		value = [value] if shape == "list" else {"a": value}
	return value


LARGE = (
	[],
	{},
	[[]],
	[{}],
	[None] * 3000,
	["x"] * 3000,
	[{"op_id": "x"}] * 600,
	{f"k{i}": i for i in range(2000)},
	{"": ""},
	{"__proto__": {"a": 1}, "constructor": 1},
	{"$gt": ""},
	["like", "%"],
	nested(25, "list"),
	nested(25, "dict"),
	nested(31, "list"),
	nested(200, "dict"),
)
WORDS = st.text(st.characters(codec="utf-8"), max_size=40)
SIMPLE = st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(TEXTS) | WORDS
VALUES = (
	SIMPLE
	| st.sampled_from(LARGE)
	| st.lists(SIMPLE, max_size=3)
	| st.dictionaries(WORDS, SIMPLE, max_size=3)
)

DEEP = 100_000
BODIES = {
	"deep lists": b"[" * DEEP + b"]" * DEEP,
	"deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
	"deep below a known name": b'{"items": ' + b"[" * DEEP + b"]" * DEEP + b"}",
	"a number of a million digits": b'{"limit": ' + b"9" * 1_000_000 + b"}",
	"a float beyond all": b'{"limit": 1e99999999, "client_time": -1e99999999}',
	"infinity": b'{"limit": Infinity}',
	"a lone surrogate": b'{"device_id": "\\ud800"}',
	"a lone surrogate as a name": b'{"\\udfff": 1}',
	"one name ten thousand times": b"{" + b'"device_id": "a",' * 10_000 + b'"device_id": "b"}',
	"many names": json.dumps({f"k{n}": n for n in range(20_000)}).encode(),
	"names of Frappe's": b'{"cmd": "frappe.ping", "doctype": "User", "ignore_permissions": 1, "_lang": ["x"], "fn": 1}',
	"not UTF-8": b'{"device_id": "\xff"}',
	"a null byte": b'{"device_id": "a"}\0',
	"nothing": b"",
	"a list": b"[1]",
	"a form": b"device_id=a&items=b",
}


def gzip_bomb(megabytes=100):
	return gzip.compress(b'{"a": "' + b" " * (megabytes << 20) + b'"}', 9)


def gzip_of_gzips():
	body = b'{"device_id": "a"}'
	for _ in range(10):
		body = gzip.compress(body)
	return body


PACKED = {
	"a bomb": gzip_bomb(),
	"packed ten times": gzip_of_gzips(),
	"deep lists": gzip.compress(BODIES["deep lists"]),
	"cut short": gzip.compress(b'{"device_id": "a"}')[:-4],
	"no gzip": b"{}",
	"many members": gzip.compress(b" ") * 20_000,
}
