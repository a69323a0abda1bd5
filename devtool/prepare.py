"""The whole set-up, from a bare machine to a site that can be used."""

from collections.abc import Sequence

from devtool import bench, desk_assets, environment, frappe_source, node, servers, site, steps, system
from devtool.bench import Site
from devtool.settings import Settings
from devtool.system import Package


def programs(settings: Settings, extra: Sequence[Package] = ()) -> None:
	"""What is enough for the checks: the packages and the Python environment."""
	steps.require_disk(settings)
	system.require(settings, (*system.packages(settings), *extra))
	environment.prepare(settings)


def whole(target: Site, extra: Sequence[Package] = ()) -> None:
	"""Everything a site needs; the caller holds the lock."""
	settings = target.settings
	frappe_source.require_place()
	programs(settings, extra)
	frappe_source.prepare(settings)
	servers.start(settings)
	bench.prepare(target.bench)
	site.prepare(target)


def with_desk(target: Site) -> None:
	"""Everything a site and its Desk need, for tests also what they use; the caller holds the lock."""
	whole(target, (*system.NODE, *(system.TESTS if target.tests else ())))
	desk_assets.prepare(target.bench)
	if target.tests:
		node.prepare_clients(target.settings)
