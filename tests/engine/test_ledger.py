"""What the ledger keeps of an answer is the answer."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from hisabi_sync.engine import ledger
from hisabi_sync.engine.model.change import Change, Outcome

ENOUGH = SimpleNamespace(failed=lambda text, held: text)
CALLER = SimpleNamespace(user="amal@hisabi.example", device="phone", space="space", allowance=ENOUGH)
COLUMNS = ["name", "creation", "modified", "owner", "modified_by", *ledger.COLUMNS]
texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=200) | st.sampled_from(
	["<b>", "a" * 141]
)
outcomes = st.builds(
	Outcome,
	status=st.sampled_from(["accepted", "duplicate", "conflict", "error"]),
	entity_type=texts,
	client_id=texts,
	doc_version=st.integers(0, 9),
	server_modified=st.none() | texts,
	record_name=st.none() | texts,
	code=st.none() | st.just("invalid_value"),
	merged=st.booleans(),
	record=st.none() | st.dictionaries(texts, st.integers() | texts, max_size=2),
	conflict_fields=st.none() | st.lists(texts, max_size=2),
)


def kept(change, outcome):
	"""{column: value} of the Sync Item of an answer."""
	row = ledger._item_row("batch", CALLER, change, outcome, "key", None, None)
	return dict(zip(COLUMNS, row, strict=True))


@given(outcomes, texts, texts)
def test_an_answer_was_kept_otherwise_than_it_was_given(outcome, entity_type, client_id):
	change = Change(0, "op", entity_type, client_id, "create", {}, raw={})
	item = kept(change, outcome)
	assert ledger.decode([item[name] for name in ledger.ANSWER]) == outcome


def test_an_answer_that_was_kept_whole_is_read_otherwise():
	whole = '{"status": "accepted", "entity_type": "<b>", "client_id": "a", "doc_version": 3, "record_name": "space-a"}'
	assert ledger.decode(["accepted", "‹b›", "a", 3, "space-a", whole]) == Outcome(
		"accepted", "<b>", "a", 3, record_name="space-a"
	)


def test_an_answer_was_kept_twice():
	outcome = Outcome("accepted", "Hisabi Account", "a", 3, "2026-03-01T10:00:00Z", "space-a")
	item = kept(Change(0, "op", "Hisabi Account", "a", "create", {}, raw={}), outcome)
	assert item["result"] == '{"server_modified": "2026-03-01T10:00:00Z"}'
