from hisabi_sync import install


def execute():
	"""Bring a site that has an older version to what a new installation gets."""
	install.set_up()
