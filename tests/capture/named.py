"""A DocType that is named by a field, made syncable as a person would in the Desk."""

import os

from tests.support import doctypes
from tests.support.doctypes import column

# The name of this test run alone: another one on the same site takes its own away again.
NOTE = f"Named Note {os.getpid()}"


def ensure():
	fields = [column("title", unique=1), column("team")]
	doctypes.make(NOTE, fields, autoname="field:title")
	doctypes.sync(NOTE, "team", "team")


def remove():
	doctypes.remove(NOTE)
