"""Ways to the space of a document: Dynamic Links, constants, and several ways of which the first counts."""

import frappe
import pytest

from hisabi_sync.engine import reconcile
from hisabi_sync.engine.database import retry
from hisabi_sync.engine.entities.entity_types import registry
from hisabi_sync.engine.model import paths
from hisabi_sync.engine.sharing import whereabouts
from tests.sharing.world import CREW, REGION, REP, SEAT, VISIT, change, document, kind, region
from tests.support import doctypes

PARTY = VISIT.replace("Visit", "Payment")
DYNAMIC = f"party[{REP}].region"


@pytest.fixture(scope="module", autouse=True)
def payments(sales):
	"""Payments name a party of any DocType."""
	party = [("party_type", "Link", "DocType"), ("party", "Dynamic Link", "party_type")]
	more = [
		("region", "Link", REGION),
		("crew", "Link", CREW),
		("rows", "Table", SEAT),
	]
	retry.run(lambda: doctypes.make(PARTY, doctypes.columns(*party, *more, "note")))
	frappe.db.commit()
	yield
	doctypes.remove(PARTY)


@pytest.fixture
def synced():
	"""Makes an entity type of payments with a path, and takes it away again."""
	made = []

	def sync(path, **values):
		made.append(values.pop("space_type", None) or kind())
		retry.run(lambda: doctypes.sync(PARTY, made[-1], path, check_permissions=0, **values))
		return made[-1]

	yield sync
	frappe.db.rollback()
	frappe.delete_doc("Sync Entity", PARTY, ignore_missing=True)
	frappe.db.delete("Sync Record", {"document_type": PARTY})
	frappe.db.commit()


def lies_in(space_type, doc):
	"""Keys of the spaces that a document has live records in."""
	frappe.db.rollback()
	rows = frappe.db.sql(
		"""SELECT s.space_key FROM `tabSync Record` r JOIN `tabSync Space` s ON s.name = r.space
		WHERE r.document_name = %s AND r.document_type = %s AND r.deleted_at IS NULL AND s.space_type = %s""",
		(doc.name, doc.doctype, space_type),
	)
	return [row[0] for row in rows]


def both(doc):
	"""The key of a document in memory, which is the key in the database too."""
	entity = registry().by_doctype[doc.doctype]
	found = whereabouts.key_of(frappe.get_doc(doc.doctype, doc.name), entity)
	assert whereabouts.keys_of(entity, [doc.name]).get(doc.name) == found
	return found


def test_a_dynamic_link_leads_to_the_space_if_it_names_a_document_of_the_doctype(synced):
	one, two = region(), region()
	rep, crew = document(REP, region=one), document(CREW, region=two)
	sales = synced(DYNAMIC)
	paid = document(PARTY, party_type=REP, party=rep.name)
	assert both(paid) == one and lies_in(sales, paid) == [one]
	paid = change(paid, party_type=CREW, party=crew.name)
	assert both(paid) is None and lies_in(sales, paid) == []
	paid = change(paid, party_type=None, party=None)
	assert both(paid) is None
	assert lies_in(sales, change(paid, party_type=REP, party=rep.name)) == [one]


def test_a_dynamic_link_may_lead_by_several_doctypes(synced):
	one, two = region(), region()
	rep, crew = document(REP, region=one), document(CREW, region=two)
	sales = synced(f"{DYNAMIC}, party[{CREW}].region")
	by_rep = document(PARTY, party_type=REP, party=rep.name)
	by_crew = document(PARTY, party_type=CREW, party=crew.name)
	assert (both(by_rep), both(by_crew)) == (one, two)
	assert (lies_in(sales, by_rep), lies_in(sales, by_crew)) == ([one], [two])


def test_what_a_dynamic_link_leads_through_moves_its_documents(synced):
	one, two = region(), region()
	rep = document(REP, region=one)
	sales = synced(DYNAMIC)
	paid = document(PARTY, party_type=REP, party=rep.name)
	assert registry().on_paths[REP] == {"region": [PARTY]}
	change(rep, region=two)
	assert lies_in(sales, paid) == [two], "it moved in the transaction of the rep"


def test_of_several_ways_the_first_that_leads_to_a_key_counts(synced):
	one, two = region(), region()
	crew = document(CREW, region=two)
	sales = synced("region, crew.region")
	paid = document(PARTY, crew=crew.name)
	assert both(paid) == two and lies_in(sales, paid) == [two]
	paid = change(paid, region=one)
	assert both(paid) == one and lies_in(sales, paid) == [one]
	paid = change(paid, region=None, crew=None)
	assert both(paid) is None and lies_in(sales, paid) == []


def test_a_constant_is_the_space_of_every_document(synced):
	sales = synced('"site"', space_type=kind(key_kind="Site", key_doctype=None))
	paid = document(PARTY, note="x")
	assert both(paid) == "site" and lies_in(sales, paid) == ["site"]
	frappe.delete_doc(PARTY, paid.name)
	frappe.db.commit()
	assert lies_in(sales, paid) == []


def test_a_constant_takes_what_no_link_places(synced):
	one, rest = region(), region()
	sales = synced(f'region, "{rest}"')
	placed, other = document(PARTY, region=one), document(PARTY)
	assert (lies_in(sales, placed), lies_in(sales, other)) == ([one], [rest])


def test_documents_that_were_there_before_are_placed_by_the_same_ways(synced):
	one, rest = region(), region()
	rep = document(REP, region=one)
	held = [document(PARTY, party_type=REP, party=rep.name), document(PARTY)]
	sales = synced(f'{DYNAMIC}, "{rest}"')
	reconcile.run(PARTY)
	assert [lies_in(sales, doc) for doc in held] == [[one], [rest]]


def test_the_field_with_the_key_is_not_for_devices_in_any_of_several_ways(synced):
	synced("crew.region, region")
	assert "region" not in registry().by_doctype[PARTY].fields
	assert registry().by_doctype[PARTY].key_field == ""


REFUSED = {
	"rows.user": "Rows of rows can lead to several spaces",
	"_assign": "Several people can be assigned",
	"party.region": "is a Dynamic Link: name its DocType",
	"party[Nothing Here].region": "There is no DocType Nothing Here",
	"region[User].x": "neither a link nor a table",
	"note.region": "is not a link of",
	"region,": "empty part",
	"region, , crew.region": "empty part",
	"region; DROP TABLE x": "empty part",
	"crew.nothing": "is not a field of",
	"crew": "does not lead to one",
	"crew.lead": "does not lead to one",
}


@pytest.mark.parametrize("path", REFUSED)
def test_a_path_that_cannot_be_is_refused_with_a_sentence(synced, path):
	with pytest.raises(frappe.ValidationError, match=REFUSED[path]):
		synced(path)


def test_the_path_of_a_type_with_one_space_is_the_constant_of_that_space(synced):
	with pytest.raises(frappe.ValidationError, match='are for "site"'):
		synced("region", space_type=kind(key_kind="Site", key_doctype=None))


@pytest.mark.parametrize(
	("text", "own"),
	[("wallet_id", {"wallet_id"}), ("name", set()), ('a.b, c , "d"', {"c"}), ("a[B].c", set())],
)
def test_own_fields_of_a_path(text, own):
	assert paths.own_fields(text) == own
