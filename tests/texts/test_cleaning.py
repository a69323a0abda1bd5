"""Cleaning HTML costs what its length costs, whatever it holds, and leaves nothing that runs."""

import html
import time

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine.model import markup, texts
from tests.support.options import examples
from tests.support.texts import ATTRIBUTES, ENTITIES, PAYLOADS, SPLIT, WRITTEN

SIZE = 64 * 1024
# Each makes a text of about so many characters that is dear for parsers of HTML.
HOSTILE = {
	"attributes": lambda n: "<a " + " ".join(f"x{i}=1" for i in range(n // 8)) + ">",
	"attributes of a tag without end": lambda n: "<p " + " ".join(f"x{i}" for i in range(n // 7)),
	"many tags with attributes": lambda n: ("<p " + " ".join(f"x{i}" for i in range(30)) + ">") * (n // 120),
	"nested blocks": lambda n: "<div>" * (n // 5),
	"nested formats": lambda n: "<b>" * (n // 3),
	"formats that every block opens again": lambda n: (
		"<p>" + "".join(f"<b title={i}>" for i in range(n // 40)) + "</p>" + "<p>x</p>" * (n // 16)
	),
	"a long format that every block opens again": lambda n: (
		f"<p><a href='{'x' * (n // 4)}'></p>" + "<p>x</p>" * (n // 11)
	),
	"quotes without end": lambda n: "<p x='" * (n // 6) + '"',
	"white space": lambda n: "<p a" + " " * n,
	"brackets": lambda n: "<" * n,
	"comments": lambda n: "<!--" * (n // 4),
	"no tags": lambda n: "<x" * (n // 2),
	"references": lambda n: "<p>" + "&amp;" * (n // 5),
	"tables": lambda n: "<table><tr><td>" * (n // 15),
	"lists": lambda n: "<ul><li>" * (n // 8),
}
safe = st.sampled_from(
	[
		"<p>",
		"</p>",
		"<b>",
		"</b>",
		"<b ",
		"<a href='",
		"'",
		'"',
		">",
		"<script>",
		"</script>",
		"<!--",
		"-->",
		"<svg>",
	]
	+ [
		"<img src=x onerror=y>",
		" onclick=z ",
		"javascript:",
		"x",
		" ",
		"&lt;",
		"<style>",
		"<table>",
		"<td>",
		"<?",
		"=",
	]
)


def cost(text):
	"""CPU seconds of cleaning it, the least of some tries."""
	times = []
	for _ in range(5):
		before = time.thread_time()
		markup.clean(text)
		times.append(time.thread_time() - before)
	return min(times)


@pytest.mark.parametrize("case", HOSTILE)
def test_four_times_the_text_costs_about_four_times_as_much(case):
	make = HOSTILE[case]
	assert cost(make(4 * SIZE)) < 9 * max(cost(make(SIZE)), 0.002)


@pytest.mark.parametrize("case", HOSTILE)
def test_no_text_costs_much_more_than_an_ordinary_one(case):
	ordinary = "<p>Hello <b>bold</b> text</p>" * (SIZE // 29)
	assert cost(HOSTILE[case](SIZE)) < 15 * max(cost(ordinary), 0.005)


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_cleaned_is_not_much_longer(case):
	assert len(markup.clean(HOSTILE[case](SIZE))) < 5 * SIZE


@pytest.mark.parametrize("case", ["attributes", "nested blocks", "formats that every block opens again"])
def test_more_than_people_write_is_a_text(case):
	text = HOSTILE[case](SIZE)
	assert markup.clean(text) == texts.TAG.sub("&lt;", text)


def dangers(html):
	"""Names of elements and attributes that no text editor makes, and addresses that run."""
	for tag in BeautifulSoup(html, "html5lib").find("body").find_all(True):
		if tag.name not in markup.TAGS:
			yield tag.name
		for name, value in tag.attrs.items():
			if name.startswith("on") or (
				name in ("href", "src") and value.strip().lower().startswith("javascript:")
			):
				yield f"{tag.name} {name}={value}"


@examples(300)
@given(st.lists(safe, max_size=25).map("".join))
def test_nothing_that_runs_is_left(text):
	assert list(dangers(markup.clean(text))) == []
	assert markup.clean(markup.clean(text)) == markup.clean(text)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_is_left(payload):
	assert list(dangers(markup.clean(payload))) == []


def test_what_a_text_editor_writes_stays_as_it_is():
	html = (
		'<div class="ql-editor read-mode"><p>One &amp; two<br></p><h2>Head</h2><ol><li data-list="bullet">x</li></ol>'
		'<p><a href="https://a.example/?b=1" rel="noopener noreferrer" target="_blank">there</a> '
		'<strong style="color:red">red</strong> <img src="/files/a.png"></p></div>'
	)
	assert markup.clean(html) == html
	assert markup.clean(WRITTEN[2]) == WRITTEN[2]


def test_words_in_brackets_are_words():
	assert (
		BeautifulSoup(markup.clean("<p>Ali <ali@shop.example></p>"), "html.parser").text
		== "Ali <ali@shop.example>"
	)


# --- titles, which pages put into attributes and decode once more

TITLES = (*PAYLOADS, *ATTRIBUTES, *ENTITIES, f"{SPLIT[0]}{SPLIT[1]}")


def decoded(text, times=3):
	"""A text and what pages make of it that turn entities into signs, once and again."""
	for _ in range(times):
		yield text
		text = html.unescape(text)


@pytest.mark.parametrize(
	"form",
	["{}", "<p>{}</p>", "<b>a</b>{}<i>b</i>", '<p title="{}">a</p>', "<p title='{}'>a</p>", "{0}<br>{0}"],
)
@pytest.mark.parametrize("text", TITLES)
def test_a_title_runs_nowhere(form, text):
	calm = markup.calm(markup.clean(form.format(text)))
	for shown_text in decoded(calm):
		assert list(dangers(shown_text)) == []
		assert not texts.begins_attribute(shown_text)
	assert markup.calm(markup.clean(calm)) == markup.clean(calm)


@pytest.mark.parametrize(
	"text",
	[
		'<div class="ql-editor read-mode"><p>Buy bread &amp; tea, 2 &lt; 3</p></div>',
		"Joe's 2\" pipe",
		"<p>a = b</p>",
		'<a href="https://a.example/x">there</a>',
	],
)
def test_a_title_that_runs_nowhere_stays_as_it_is(text):
	assert markup.calm(markup.clean(text)) == markup.clean(text)


@pytest.mark.parametrize(
	"text", ["&amp;" * SIZE, "&" + "amp;" * SIZE + "lt;b", '<"' * SIZE, "a < b " * SIZE, '"=' * SIZE]
)
def test_a_calm_title_costs_linear_time(text):
	"""A square of this length would take minutes."""
	assert len(markup.calm(markup.clean(text))) < 6 * len(text)
