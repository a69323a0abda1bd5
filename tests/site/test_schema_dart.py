"""Dart classes of described types. Pure."""

import re

from hisabi_sync.api.site.schema_dart import dart


def field(name, kind="text"):
	return {
		"wire_name": name,
		"kind": kind,
		"label": name,
		"read_only": False,
		"options": None,
		"length": None,
	}


def described(name, *fields, tables=()):
	return {"type": name, "fields": list(fields), "tables": list(tables)}


def test_each_field_is_read_and_written_under_its_name_on_the_wire():
	text = dart(
		[described("Sales Order", field("customer"), field("total", "decimal"), field("done", "check"))]
	)
	assert "class SalesOrder {" in text
	assert "  num? total;" in text and '    total = json["total"] as num?;' in text
	assert '    if (done != null) "done": done,' in text
	assert '  "Sales Order": SalesOrder.fromJson,' in text


def test_rows_are_a_list_of_a_class_of_their_own():
	table = {"name": "items", "wire_name": "items", "fields": [field("qty", "decimal")]}
	text = dart([described("Sales Order", tables=[table])])
	assert "class SalesOrderItemsRow {" in text and "  List<SalesOrderItemsRow>? items;" in text
	assert "items!.map((row) => row.toJson()).toList()" in text
	assert 'if (id != null) "id": id,' in text


def test_names_that_dart_does_not_take_become_others_and_stay_on_the_wire():
	odd = ["class", "fromJson", "hashCode", "2nd", "$total", "_own", "نص", "a-b", 'q"uote', "it's $x"]
	text = dart(
		[described("Odd", *map(field, odd)), described("عقد"), described("3D Print"), described("Odd!")]
	)
	names = re.findall(r"^  String\? (.+);$", text, re.M)
	assert len(names) == len(set(names)) == len(odd)
	assert all(re.fullmatch(r"[A-Za-z$][\w$]*", name, re.ASCII) for name in names), names
	assert not {"class", "fromJson", "hashCode"} & set(names)
	assert r'json["\$total"]' in text and r'json["q\"uote"]' in text
	classes = re.findall(r"^class (\w+) \{$", text, re.M)
	assert len(classes) == len(set(classes)) == 4


def test_no_two_classes_have_a_name_nor_one_of_darts_own():
	table = {"name": "items", "wire_name": "items", "fields": []}
	names = ["Sales Order", "Sales Order Items Row", "List", "Map", "Object"]
	text = dart([described(name, tables=[table] if name == "Sales Order" else ()) for name in names])
	classes = re.findall(r"^class (\w+) \{$", text, re.M)
	assert len(classes) == len(set(classes)) == 6 and not {"List", "Map", "Object"} & set(classes)


def test_a_type_without_fields_is_a_class_too():
	text = dart([described("Empty")])
	assert "  Empty();" in text and text.count("{") == text.count("}")
