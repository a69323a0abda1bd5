"""Names of types as collections, tables and classes. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hisabi_sync.engine.model import ids

Described = Mapping[str, Any]  # a type, a table or a field as `types` describes it
NO_NAME = re.compile(r"[^a-z0-9]+")
PLAIN_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)


def collection(name: str) -> str:
	"""The name of a type as a collection or a table: `sales_order` of "Sales Order". Other letters than Latin become a number."""
	plain = NO_NAME.sub("_", name.lower()).strip("_")
	if plain and plain[0].isalpha() and len(plain) >= len(name) // 2:
		return plain
	return f"type_{ids.digest(name, size=4)}"


def collections(types: Iterable[str]) -> dict[str, str]:
	"""{type: collection} of names of types; of those that would get the same one, the later ones get a number besides."""
	found: dict[str, str] = {}
	for one in types:
		name = collection(one)
		found[one] = f"{name}_{ids.digest(one, size=4)}" if name in found.values() else name
	return found


def class_names(types: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
	"""{type: name of its class or interface}, none of them `taken`; types whose letters have no names get a number."""
	found: dict[str, str] = {}
	for name in dict.fromkeys(types):
		made = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))
		made = made if PLAIN_NAME.fullmatch(made) else f"Type{made}"
		found[name] = made if made not in (*found.values(), *taken) else f"{made}{len(found)}"
	return found
