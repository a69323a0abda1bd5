"""Frappe's source tree, restored from a wheel in which it was published under other names."""

import re
import shutil
import zipfile
from pathlib import Path

from devtool import Problem, environment, steps
from devtool.settings import REQUIREMENTS, ROOT, Settings
from devtool.steps import Step

PACKAGE = "criscostack/"

# The wheel's name -> Frappe's; an earlier row is applied first, as later ones are part of it.
NAMES = (
	(b"criscostack", b"frappe"),
	(b"CRISCOSTACK", b"FRAPPE"),
	(b"Criscostack", b"Frappe"),
	(b"criscoerp", b"erpnext"),
	(b"Criscoerp", b"ERPNext"),
	(b"Crisco", b"Frappe"),
	(b"brik_helper", b"bench_helper"),
)


# Frappe and MariaDB's set-up give paths to a shell as they are; a colon would end one in a list of paths.
UNFIT = re.compile(r"[\s:;&|<>()$`\"'*?\[\]\\]")


def require_place() -> None:
	"""Raise Problem if the path of this clone has characters that Frappe cannot take."""
	if UNFIT.search(str(ROOT)):
		raise Problem(
			f"Frappe needs a folder without spaces, colons, quotes and brackets in its path, unlike {ROOT}: move this clone."
		)


def prepare(settings: Settings) -> None:
	"""Download and restore the tree unless a checkout is used instead."""
	if settings.frappe_path:
		return
	pin = REQUIREMENTS / "wheel.txt"

	def restore(current: Step) -> None:
		_unpack(_download(settings, pin, current), settings.frappe_tree)

	steps.once(Settings(), "Frappe", "frappe", pin.read_text() + repr(NAMES), restore)


def identity(settings: Settings) -> str:
	"""Changes when another Frappe would run."""
	if not settings.frappe_path:
		return (REQUIREMENTS / "wheel.txt").read_text() + repr(NAMES)
	return (settings.frappe_path / "frappe" / "__init__.py").read_text()


def _download(settings: Settings, pin: Path, current: Step) -> Path:
	folder = settings.dev / "downloads"
	# A wheel that was pinned before would lie beside the new one.
	shutil.rmtree(folder, ignore_errors=True)
	pip: list[str | Path] = [
		environment.tools(settings) / "python",
		"-m",
		"pip",
		"--disable-pip-version-check",
	]
	current.run([*pip, "download", "--no-deps", "--require-hashes", "-r", pin, "-d", folder])
	wheels = sorted(folder.glob("*.whl"))
	if len(wheels) != 1:
		raise Problem(f"{steps.short(folder)} should hold Frappe's wheel alone.")
	return wheels[0]


def _unpack(wheel: Path, target: Path) -> None:
	"""Write the tree beside its place first, so that an interrupted run leaves no half."""
	unfinished = target.with_name(f"{target.name}.new")
	shutil.rmtree(unfinished, ignore_errors=True)
	with zipfile.ZipFile(wheel) as archive:
		for member in archive.namelist():
			if member.startswith(PACKAGE) and not member.endswith("/"):
				_write(unfinished / renamed(member.encode()).decode(), archive.read(member))
	shutil.rmtree(target, ignore_errors=True)
	unfinished.rename(target)


def _write(path: Path, content: bytes) -> None:
	path.parent.mkdir(parents=True, exist_ok=True)
	binary = b"\0" in content
	path.write_bytes(content if binary else renamed(content))


def renamed(text: bytes) -> bytes:
	"""A text with the names of the source replaced by Frappe's."""
	for theirs, ours in NAMES:
		text = text.replace(theirs, ours)
	return text
