"""What patterns of the engine cost: as much as the text is long, also where something in it is never closed."""

import subprocess
import sys
import time

import pytest

from hisabi_sync.engine.model import files, markup, strict_json, texts

DEEP = '{"x":' + "[" * 3000
# Each makes a text of about so many characters.
OPEN = {
	"escaped quotes": lambda n: DEEP + '"' + '\\"' * (n // 2),
	"escaped backslashes": lambda n: DEEP + '"' + "\\\\" * (n // 2),
	"other escapes": lambda n: DEEP + '"' + "\\n" * (n // 2),
	"a lone backslash at the end": lambda n: DEEP + '"' + '\\"' * (n // 2) + "\\",
	"backslashes outside of strings": lambda n: DEEP + "\\" * n,
	"quotes": lambda n: DEEP + '"' * (n + 1),
	"quotes and escaped ones": lambda n: DEEP + '"\\"' * (n // 3) + '"',
	"lists": lambda n: "[" * n,
	"objects": lambda n: '{"":' * (n // 4),
	"closed lists": lambda n: "[" * 3000 + "]" * n,
	"digits": lambda n: DEEP + "9" * n,
	"references": lambda n: "&" + "amp;" * (n // 4),
	"references with an end": lambda n: "&" + "amp;" * (n // 4) + "xt;",
	"many references": lambda n: "&amp" * (n // 4) + "t;",
	"tags": lambda n: "<a " * (n // 3),
	"a tag": lambda n: "<a" + " x" * (n // 2),
	"white space": lambda n: "<a" + " " * n + '="' + " " * n,
	"quoted attributes": lambda n: "<a x='" * (n // 6) + '"',
	"addresses": lambda n: "http://a" * (n // 8),
	"an address": lambda n: "http://" + "a-" * (n // 2),
	"a picture": lambda n: "data:image/png;base64," + "A" * n,
	"pictures": lambda n: "data:image/png;base64," * (n // 22),
}


def _read(text):
	try:
		strict_json.read(text)
	except ValueError:
		pass


def _cut(text):
	try:
		strict_json._cut(text)
	except ValueError:
		pass


PATTERNS = {
	"strict_json": (_read, _cut, strict_json.is_crowded),
	"bytes": (lambda text: strict_json.is_crowded(text.encode()),),
	"markup": (markup.clean, markup.is_bounded),
	"texts": (texts.encode, texts.decode),
	"files": tuple(
		lambda text, pattern=pattern: sum(1 for _ in pattern.finditer(text))
		for pattern in (files.ADDRESS, files.INLINE, files.BETWEEN)
	),
}
SIZE = 16 * 1024


def cost(work, text):
	"""CPU seconds, the least of some tries; none after one that is far too long."""
	times = []
	while len(times) < 3 and sum(times) < 1:
		before = time.thread_time()
		work(text)
		times.append(time.thread_time() - before)
	return min(times)


@pytest.mark.parametrize("what", OPEN)
@pytest.mark.parametrize("module", PATTERNS)
def test_eight_times_the_text_costs_about_eight_times_as_much(module, what):
	short, long = OPEN[what](SIZE), OPEN[what](8 * SIZE)
	for work in PATTERNS[module]:
		once = max(cost(work, short), 0.001)
		assert once < 0.5 and cost(work, long) < 20 * once, work


MEASURED = """
import resource, sys
from hisabi_sync.engine.model import strict_json
text = '{"x":' + "[" * 3000 + '"' + sys.argv[1] * (int(sys.argv[2]) // len(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
	strict_json.read(text)
except ValueError:
	print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("unit", ['\\"', "\\\\", "\\n", "x", '"'])
def test_a_string_that_is_never_closed_takes_no_memory_for_each_escape(unit):
	"""Resident memory of a process of its own: the library of patterns allocates beside what Python traces."""
	length = 8 << 20
	done = subprocess.run(
		[sys.executable, "-c", MEASURED, unit, str(length)], capture_output=True, text=True, check=True
	)
	assert int(done.stdout) << 10 < 8 * length


def test_what_is_cut_is_what_lies_too_deeply():
	levels = strict_json.CUT
	for inner in ('"]\\"}["', '"\\\\"', "[{}]", '{"[": "\\\\\\"]"}'):
		text = '{"a\\"[": ' + "[" * 70_000 + inner + "]" * 70_000 + ', "b": "\\\\", "c": 1}'
		value, sound = strict_json.read(text)
		assert not sound and value["b"] == "\\" and value["c"] == 1
		assert strict_json.depth(value, 2 * levels) == levels


@pytest.mark.parametrize("text", ["[" * 70_000, "[" * 70_000 + "]" * 69_999, "[" * 70_000 + "]" * 70_001])
def test_what_does_not_balance_is_refused(text):
	with pytest.raises(ValueError):
		strict_json.read(text)
