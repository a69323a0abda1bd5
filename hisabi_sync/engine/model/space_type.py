"""Kinds of space that people make in the Desk: what a space is made for, and by which rules users become its members."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from hisabi_sync.engine.model.paths import Path

SITE_KEY = "site"  # key of the only space of a type that has one for the whole site
# Kinds of rules, by the words of the form.
ROLE, SELF, PERMISSION, NAMED = "Users with a role", "The user", "User Permissions", "Named in documents"
RANK = {"viewer": 0, "member": 1, "admin": 2, "owner": 3}


@dataclass(frozen=True, slots=True)
class Rule:
	"""One way to become a member. `name` is that of its row; `source` the DocType whose documents decide, "" where there is none.

	`user_path` and `key_path` lead from a document of the source to the user and to the key of the space. `key` names the
	only space that the rule is about; "" for all spaces of the type. With `descendants` documents below in the tree count too.
	"""

	name: str
	kind: str
	member_role: str
	role: str = ""
	key: str = ""
	source: str = ""
	user_path: Path = ()
	key_path: Path = ()
	descendants: bool = True
	source_is_tree: bool = False

	def rests_of(self, doctype: str) -> list[Path]:
		"""The rests of the path to the user that begin at a document of the DocType."""
		return [
			self.user_path[at:] for at, passed in _documents(self.source, self.user_path) if passed == doctype
		]

	def fields_of(self, doctype: str) -> set[str]:
		"""Fields of the DocType by which documents decide who is a member where."""
		paths = (self.user_path, self.key_path)
		return {
			path[at].field
			for path in paths
			for at, passed in _documents(self.source, path)
			if passed == doctype
		}

	def doctypes(self) -> set[str]:
		"""DocTypes whose documents decide, users and documents that spaces are for left out."""
		passed = {d for path in (self.user_path, self.key_path) for _, d in _documents(self.source, path)}
		return passed | {
			"User Permission" if self.kind == PERMISSION else "",
			"Role" if self.role else "",
		} - {""}


def _documents(source: str, path: Path) -> Iterator[tuple[int, str]]:
	"""(how many steps of the path lead to it, DocType) of each document on a path; rows of a table belong to their document."""
	doctype = source
	for at, step in enumerate(path):
		if at == 0 or not path[at - 1].is_table:
			yield at, doctype
		doctype = step.target


@dataclass(frozen=True)
class SpaceType:
	"""A kind of space. `key_doctype` is the DocType whose documents have a space each; "" for one space of the whole site.

	`problem` says why its rules cannot be followed; members then stay as they are.
	"""

	name: str
	title: str
	key_doctype: str = ""
	is_tree: bool = False
	rules: tuple[Rule, ...] = ()
	problem: str = ""

	@cached_property
	def doctypes(self) -> frozenset[str]:
		"""DocTypes whose documents decide who is a member."""
		if not self.rules or self.problem:
			return frozenset()
		return frozenset().union({"User", self.key_doctype} - {""}, *(rule.doctypes() for rule in self.rules))

	@cached_property
	def roles(self) -> dict[str, str]:
		"""{rule: role of the members that it makes}."""
		return {rule.name: rule.member_role for rule in self.rules}
