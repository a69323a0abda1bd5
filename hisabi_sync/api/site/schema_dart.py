"""The described types as Dart classes, for Flutter: the values of each type, from and to JSON. Source: docs/contracts/site.md, Schema. Pure."""

import json
import re
from collections.abc import Iterable, Mapping

from hisabi_sync.api.site.schema_names import PLAIN_NAME, Described, class_names

# Kind of a field -> its type in Dart.
TEXT = "String"
TYPES = {
	**dict.fromkeys(("text", "html", "link", "file", "choice", "date", "datetime", "time"), TEXT),
	"integer": "int",
	"check": "int",
	"decimal": "num",
	"json": "Object",
}
# Names that a field of a class cannot have in Dart, and those that the classes have themselves.
TAKEN = frozenset(
	"abstract as assert async await base break case catch class const continue covariant default deferred do "
	"dynamic else enum export extends extension external factory false final finally for function get hide if "
	"implements import in interface is late library mixin new null of on operator part required rethrow return "
	"sealed set show static super switch sync this throw true try type typedef var void when while with yield "
	"fromjson tojson hashcode runtimetype tostring nosuchmethod".split()
)
OWN_CLASSES = frozenset(
	"List Map Object String Function Set Future Iterable".split()
)  # of Dart, as far as they are used or near
HEAD = "// Made by `GET schema?for=dart`."


def dart(types: Iterable[Described]) -> str:
	"""A class for the values of each type and for the rows of its tables, and the names of the types."""
	listed = list(types)
	wanted = [name for one in listed for name in (one["type"], *_row_types(one).values())]
	every = class_names(wanted, OWN_CLASSES)
	names = {one["type"]: every[one["type"]] for one in listed}
	classes = [made for one in listed for made in _classes(one, every)]
	known = "".join(f"  {_text(name)}: {made}.fromJson,\n" for name, made in names.items())
	table = f"final Map<String, Object Function(Map<String, dynamic>)> types = {{\n{known}}};\n"
	return "\n".join([HEAD, *classes, table])


def _row_types(one: Described) -> dict[str, str]:
	"""{table: what its rows are called, as a type would be}."""
	return {table["wire_name"]: f"{one['type']} {table['name']} row" for table in one["tables"]}


def _classes(one: Described, names: Mapping[str, str]) -> list[str]:
	rows = {table: names[row] for table, row in _row_types(one).items()}
	made = [_class(rows[t["wire_name"]], {"id": TEXT, **_fields(t)}, {}) for t in one["tables"]]
	return [*made, _class(names[one["type"]], _fields(one), rows)]


def _fields(one: Described) -> dict[str, str]:
	return {field["wire_name"]: TYPES[field["kind"]] for field in one["fields"]}


def _class(name: str, fields: Mapping[str, str], rows: Mapping[str, str]) -> str:
	"""A class whose fields may be missing: absent is not empty, so that a change holds only what a person set."""
	own = _names([*fields, *rows])
	types = {**fields, **{key: f"List<{made}>" for key, made in rows.items()}}
	declared = "".join(f"  {types[key]}? {own[key]};\n" for key in types)
	given = ", ".join(f"this.{own[key]}" for key in types)
	read = "".join(f"    {own[key]} = {_read(key, types[key], rows)};\n" for key in types)
	written = "".join(
		f"    if ({own[key]} != null) {_text(key)}: {_write(own[key], key, rows)},\n" for key in types
	)
	constructor = f"  {name}({{{given}}});\n" if types else f"  {name}();\n"
	return (
		f"class {name} {{\n{declared}\n{constructor}\n"
		f"  {name}.fromJson(Map<String, dynamic> json) {{\n{read}  }}\n\n"
		f"  Map<String, dynamic> toJson() => {{\n{written}  }};\n}}\n"
	)


def _names(keys: Iterable[str]) -> dict[str, str]:
	"""{name on the wire: name of the field in Dart}."""
	found: dict[str, str] = {}
	for key in keys:
		plain = key if PLAIN_NAME.fullmatch(key) else "field_" + re.sub(r"\W", "_", key, flags=re.ASCII)
		plain = f"{plain}_" if plain.lower() in TAKEN else plain.lstrip("_") or "field"
		found[key] = plain if plain not in found.values() else f"{plain}{len(found)}"
	return found


def _read(key: str, kind: str, rows: Mapping[str, str]) -> str:
	if key in rows:
		return f"(json[{_text(key)}] as List?)?.map((row) => {rows[key]}.fromJson(row as Map<String, dynamic>)).toList()"
	return f"json[{_text(key)}] as {kind}?"


def _write(name: str, key: str, rows: Mapping[str, str]) -> str:
	return f"{name}!.map((row) => row.toJson()).toList()" if key in rows else name


def _text(value: str) -> str:
	"""A literal; `$` would begin an expression."""
	return json.dumps(value, ensure_ascii=False).replace("$", "\\$")
