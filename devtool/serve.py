"""Relay, web server, workers and scheduler of a site."""

import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from devtool import Problem, network, node, redis_server, servers, state
from devtool.bench import Site, environment, frappe_command
from devtool.processes import Process, wait_for
from devtool.settings import Settings
from devtool.steps import short, step

DEFAULT_PORT = 8000
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WEB_OPTIONS = (
	"--workers=2",
	"--worker-class=gthread",
	"--threads=8",
	"--timeout=120",
	"--limit-request-line=8190",
	"--preload",
)
# Jobs that people start are in the queue `long`: they do not wait behind all that the scheduler has in `default`.
WORKER, LONG_FIRST = (
	("worker", "--queue", queues) for queues in ("short,default,long", "long,short,default")
)

# Name of each process -> Frappe's command for it; relay and web server are not Frappe's.
BACKGROUND = {"worker-1": WORKER, "worker-2": LONG_FIRST, "scheduler": ("schedule",)}
NAMES = ("web", "relay", "live", *BACKGROUND, "erp")
# What the demo site's connection to its ERP signs in with.
ERP_SECRET, ERP_PORT, ERP_CONFIG = "hisabi-demo-erp", "erp_port", "hisabi_sync_demo_erp"


def processes(site: Site) -> list[Process]:
	"""All that serve a site, as far as it takes to watch and stop them."""
	return [_process(site, name) for name in NAMES]


def _commands(site: Site) -> dict[str, list[str]]:
	backend = network.own_port(site.settings, "backend_port")
	live = network.own_port(site.settings, "live_port")
	front = {
		"web": _gunicorn(site, backend),
		"relay": _relay(site, backend, live),
		"live": _live(site, backend, live),
	}
	background = {name: frappe_command(site, *words) for name, words in BACKGROUND.items()}
	return front | background | {"erp": _erp(site)}


def _erp(site: Site) -> list[str]:
	"""The other side of the demo site's runs."""
	number = network.own_port(site.settings, ERP_PORT)
	options = (f"--port={number}", f"--secret={ERP_SECRET}")
	return [str(site.settings.python), "-m", "devtool.erp", *options]


def place_erp(site: Site) -> bool:
	"""Tell the site where its ERP will be; whether that is another place than before."""
	address = f"http://{network.LOOPBACK}:{network.own_port(site.settings, ERP_PORT)}"
	moved = site.config().get(ERP_CONFIG) != address
	if moved:
		site.configure(**{ERP_CONFIG: address})
	return moved


def _gunicorn(site: Site, number: int) -> list[str]:
	address = f"--bind={network.LOOPBACK}:{number}"
	return [str(site.settings.python), "-m", "gunicorn", address, *WEB_OPTIONS, "devtool.wsgi:application"]


def _relay(site: Site, backend: int, live: int) -> list[str]:
	"""The relay has the port that people know, and passes on to the others what is not for itself."""
	addresses = (f"--backend={_address(backend)}", f"--live={_address(live)}")
	return [*relay_command(site), *addresses, f"--port={port(site)}"]


def _live(site: Site, backend: int, number: int) -> list[str]:
	"""The process of live events."""
	redis = redis_server.urls(site.settings, site.bench.path)
	options = (f"--web={_address(backend)}", f"--events={redis['queue']}", f"--cache={redis['cache']}")
	return [str(site.settings.python), "-m", "hisabi_sync.live", f"--port={number}", *options]


def _address(number: int) -> str:
	return f"http://{network.LOOPBACK}:{number}"


def relay_command(site: Site) -> list[str]:
	"""The relay of a site, except for its own port and the web server's address."""
	redis = redis_server.urls(site.settings, site.bench.path)["queue"]
	return node.command("relay.mjs", f"--site={site.name}", f"--redis={redis}")


def _process(site: Site, name: str, command: Sequence[str] = ()) -> Process:
	settings = site.settings
	return Process(
		name=name,
		pid_file=settings.run / f"{name}.pid",
		log=settings.logs / f"{name}.log",
		argv=tuple(command),
		env=environment(site),
		cwd=site.bench.sites,
	)


def port(site: Site) -> int:
	"""The port of the site's web server."""
	return state.load(site.settings).get("web_ports", {}).get(_key(site), DEFAULT_PORT)


def url(site: Site) -> str:
	"""Where the site answers."""
	return f"http://{network.LOOPBACK}:{port(site)}"


def _key(site: Site) -> str:
	return short(site.path)


def states(site: Site) -> dict[str, str]:
	"""{process: running, stopped or external} of a site and its servers."""
	own = {process.name: process.state() for process in processes(site)}
	return servers.states(site.settings) | own


def is_running(site: Site) -> bool:
	"""Whether all processes of a site run."""
	return "stopped" not in states(site).values()


def require_free(number: int) -> None:
	"""Raise Problem unless this user may listen on the port."""
	try:
		if network.is_free(number):
			return
	except PermissionError:
		raise Problem(
			f"Port {number} is not for every user: choose one above 1023 with ./dev start --port."
		) from None
	raise Problem(f"Port {number} is taken by another program: choose one with ./dev start --port.")


def start(site: Site, number: int) -> None:
	"""Start everything and return when the web server answers."""
	ports = state.load(site.settings).get("web_ports", {}) | {_key(site): number}
	state.save(site.settings, web_ports=ports)
	site.configure(host_name=url(site))
	with step(site.settings, "Relay, web server, workers, scheduler", "serve"):
		for name, command in _commands(site).items():
			_process(site, name, command).start()
		try:
			wait_until_ready(site)
		except Problem:
			stop(site)
			raise


def wait_until_ready(site: Site) -> None:
	"""Wait until the site answers. Raises Problem with the log to read."""
	needed = processes(site)[:2]
	wait_for(lambda: _answers(site) or not all(process.pid() for process in needed), 90)
	ended = [process for process in needed if not process.pid()]
	if not ended and _answers(site):
		return
	raise Problem(f"The site does not answer; details are in {short((ended or needed)[0].log)}.")


def _answers(site: Site) -> bool:
	try:
		with urllib.request.urlopen(f"{url(site)}/api/method/ping", timeout=10) as answer:  # nosec B310
			return answer.status == 200
	except (urllib.error.URLError, OSError):
		return False


def stop(site: Site) -> None:
	"""Stop the processes of a site."""
	for process in processes(site):
		process.stop()


def stop_all(settings: Settings) -> list[str]:
	"""Stop what any ./dev of this checkout serves, whichever Frappe it uses; tells the names."""
	files = [file for depth in ("", "*/", "*/*/") for file in settings.dev.glob(f"{depth}run/*.pid")]
	found = [Process(file.stem, file, file.with_suffix(".log")) for file in files]
	return [process.name for process in found if process.name in NAMES and process.stop()]


def watch(site: Site) -> None:
	"""Stay until Ctrl-C, or until one of the processes ends by itself."""
	with _stop_signals():
		while all(process.pid() for process in processes(site)):
			time.sleep(0.5)
		# A ./dev stop elsewhere removes the pid files within this time.
		time.sleep(2)
	for process in processes(site):
		if process.pid_file.is_file() and not process.pid():
			raise Problem(f"The process {process.name} has ended; details are in {short(process.log)}.")


@contextmanager
def _stop_signals() -> Iterator[None]:
	"""A SIGTERM, or the end of the terminal, ends the foreground as Ctrl-C does."""
	before = {number: signal.signal(number, signal.default_int_handler) for number in STOP_SIGNALS}
	try:
		yield
	finally:
		for number, handler in before.items():
			signal.signal(number, handler)
