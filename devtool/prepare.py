"""The whole set-up, from a bare machine to a site that can be used."""

from devtool import bench, environment, frappe_source, servers, site, steps, system
from devtool.bench import Site
from devtool.settings import Settings


def programs(settings: Settings) -> None:
	"""What is enough for the checks: the packages and the Python environment."""
	steps.require_disk(settings)
	system.require(settings)
	environment.prepare(settings)


def whole(target: Site) -> None:
	"""Everything a site needs; the caller holds the lock."""
	settings = target.settings
	programs(settings)
	frappe_source.prepare(settings)
	servers.start(settings)
	bench.prepare(target.bench)
	site.prepare(target)
