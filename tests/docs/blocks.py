"""Fenced blocks of the documents, with the comment before each that says what it is."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
	"README.md",
	"CONTRIBUTING.md",
	"SECURITY.md",
	"docs/clients.md",
	"docs/first-calls.md",
	"docs/operations.md",
	"docs/own-doctypes.md",
	"docs/sharing.md",
	"docs/architecture.md",
	"docs/live.md",
	"docs/old-apps.md",
	"docs/contracts/site.md",
	"docs/contracts/rxdb.md",
	"docs/contracts/watermelon.md",
)
BLOCK = re.compile(r"(?:<!-- (?P<about>[^\n]*?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.S)


@dataclass(frozen=True)
class Block:
	document: str
	number: int
	language: str
	about: str
	text: str

	def __str__(self):
		return f"{self.document} {self.language} {self.number}"


def blocks(document):
	return [
		Block(document, number, found["language"], found["about"] or "", found["text"])
		for number, found in enumerate(BLOCK.finditer((ROOT / document).read_text()), 1)
	]


def all_blocks(*languages):
	return [block for document in DOCUMENTS for block in blocks(document) if block.language in languages]
