"""The other apps that a bench can have beside Frappe and our own, such as ERPNext."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devtool import Problem

# The variable that names folders -> the app that it must be; "" is any app. An earlier row is installed first.
VARIABLES = {"ERPNEXT_PATH": "erpnext", "APP_PATHS": ""}
OPTION = "--with"  # on the command line, for APP_PATHS
PRESENT = {"frappe", "hisabi_sync"}


@dataclass(frozen=True)
class App:
	"""An app's name, the folder that holds its package, and the variable that named it."""

	name: str
	tree: Path
	variable: str = field(compare=False)

	@property
	def package(self) -> Path:
		"""The folder of the Python package."""
		return self.tree / self.name

	def requirements(self) -> Path | None:
		"""The file that lists what the app needs of PyPI."""
		files = (self.tree / name for name in ("pyproject.toml", "requirements.txt"))
		return next((path for path in files if path.is_file()), None)


def from_environment(environ: Mapping[str, str]) -> tuple[App, ...]:
	"""The apps that the environment names. Raises Problem for a name that the bench has already."""
	named = [app for variable in VARIABLES for app in _named(variable, environ.get(variable, ""))]
	taken = set(PRESENT)
	for app in named:
		if app.name in taken:
			raise Problem(f"{app.variable} names {app.tree}, but the bench has an app {app.name} already.")
		taken.add(app.name)
	return tuple(named)


def _named(variable: str, value: str) -> Iterator[App]:
	for folder in filter(None, value.split(":")):
		tree = Path(folder).resolve()
		yield App(_name(tree, variable), tree, variable)


def _name(tree: Path, variable: str) -> str:
	"""The name of the app in a checkout, which is that of the one package with hooks."""
	found = sorted(path.parent.name for path in tree.glob("*/hooks.py"))
	wanted = VARIABLES[variable]
	if len(found) != 1 or wanted not in ("", found[0]):
		path = f"{wanted or 'NAME'}/hooks.py"
		raise Problem(f"{variable} names {tree}, which is not a checkout of one app: {path} is looked for.")
	return found[0]


def written(chosen: Sequence[App]) -> dict[str, str]:
	"""The variables that name these apps again."""
	trees = {name: [str(app.tree) for app in chosen if app.variable == name] for name in VARIABLES}
	return {name: ":".join(paths) for name, paths in trees.items() if paths}


def taken(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
	"""The arguments without `--with DIR`, and the variable that says the same."""
	rest: list[str] = []
	found: list[str] = []
	words = iter(arguments)
	for word in words:
		name, equals, value = word.partition("=")
		if word == "--":
			rest += [word, *words]
		elif name == OPTION:
			found.append(str(Path(folder).resolve()) if (folder := value if equals else _next(words)) else "")
		else:
			rest.append(word)
	return rest, {"APP_PATHS": ":".join(found)} if found else {}


def _next(words: Iterator[str]) -> str:
	folder = next(words, None)
	if folder is None:
		raise Problem(f"{OPTION} needs the folder of an app behind it.")
	return folder
