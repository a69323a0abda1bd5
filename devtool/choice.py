"""Which Frappe and which other apps a clone works with: what variables named last, until they name others or are empty."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from devtool import Problem, apps, settings
from devtool.settings import Settings
from devtool.steps import write_atomically

# The variables that begin or change a choice; FRAPPE_EXTRA only goes with one.
NAMING = ("FRAPPE_PATH", *apps.VARIABLES)
FILE = "choice.json"
HINT = "FRAPPE_PATH= (empty) goes back to the pinned Frappe alone."


def made(environ: Mapping[str, str], folder: Path = settings.ROOT / ".dev") -> Settings:
	"""The settings that the environment asks for, with what is remembered where it names nothing."""
	file = folder / FILE
	remembered = _kept(json.loads(file.read_text()) if file.is_file() else {}, environ)
	if any(name in environ for name in NAMING):
		chosen = settings.from_environment({**remembered, **environ})
		_remember(file, chosen)
		return chosen
	return _with(remembered, environ) if remembered else settings.from_environment(environ)


def _kept(remembered: dict[str, str], environ: Mapping[str, str]) -> dict[str, str]:
	"""Apps are made for a version of Frappe, so another Frappe begins anew."""
	named = environ.get("FRAPPE_PATH")
	if named is None or (named and str(Path(named).resolve()) == remembered.get("FRAPPE_PATH")):
		return remembered
	return {}


def _remember(file: Path, chosen: Settings) -> None:
	values = _written(chosen)
	if not values:
		file.unlink(missing_ok=True)
		return
	file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
	write_atomically(file, json.dumps(values, indent=1))


def _written(chosen: Settings) -> dict[str, str]:
	"""The variables that make this choice again."""
	frappe = {}
	if chosen.frappe_path:
		frappe["FRAPPE_PATH"] = str(chosen.frappe_path)
		frappe["FRAPPE_EXTRA"] = ":".join(map(str, chosen.frappe_extra))
	return frappe | apps.written(chosen.apps)


def _with(remembered: dict[str, str], environ: Mapping[str, str]) -> Settings:
	try:
		chosen = settings.from_environment({**remembered, **environ})
	except Problem as problem:
		raise Problem(f"{problem} That is remembered from an earlier command; {HINT}") from None
	print(f"With {_said(chosen)}, as before; {HINT}", file=sys.stderr, flush=True)
	return chosen


def _said(chosen: Settings) -> str:
	frappe = f"Frappe from {chosen.frappe_path}" if chosen.frappe_path else "the pinned Frappe"
	return " and ".join([frappe, *(f"{app.name} from {app.tree}" for app in chosen.apps)])
