"""Which Frappe a clone works with: what FRAPPE_PATH named last, until it names another one or, when empty, the pinned one."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from devtool import settings
from devtool.errors import Problem
from devtool.settings import Settings
from devtool.steps import write_atomically

VARIABLES = ("FRAPPE_PATH", "FRAPPE_EXTRA")
FILE = "choice.json"


def made(environ: Mapping[str, str], folder: Path = settings.ROOT / ".dev") -> Settings:
	"""The settings that the environment asks for, with the remembered Frappe where it names none."""
	file = folder / FILE
	if "FRAPPE_PATH" in environ:
		chosen = settings.from_environment(environ)
		_remember(file, chosen)
		return chosen
	remembered = json.loads(file.read_text()) if file.is_file() else {}
	return _with(remembered, environ) if remembered else settings.from_environment(environ)


def _remember(file: Path, chosen: Settings) -> None:
	if not chosen.frappe_path:
		file.unlink(missing_ok=True)
		return
	values = (str(chosen.frappe_path), ":".join(map(str, chosen.frappe_extra)))
	file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
	write_atomically(file, json.dumps(dict(zip(VARIABLES, values, strict=True)), indent=1))


def _with(remembered: dict[str, str], environ: Mapping[str, str]) -> Settings:
	hint = "FRAPPE_PATH= (empty) goes back to the pinned Frappe."
	try:
		chosen = settings.from_environment({**remembered, **environ})
	except Problem as problem:
		raise Problem(f"{problem} That is remembered from an earlier command; {hint}") from None
	print(f"With Frappe from {chosen.frappe_path}, as before; {hint}", file=sys.stderr, flush=True)
	return chosen
