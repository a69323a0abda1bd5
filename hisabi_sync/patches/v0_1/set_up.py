"""What a new installation gets, for sites of an older version."""

from hisabi_sync import install


def execute() -> None:
	"""Bring a site that has an older version to what a new installation gets."""
	install.set_up()
