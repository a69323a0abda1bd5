"""Two devices of the same people in each contract that pulls, and which server was asked for their pages."""

import functools

from tests.batch import app as farm
from tests.family import app as family
from tests.mobile import app as field
from tests.support.phone import account, new_id
from tests.support.waiting import until
from tests.wallet_api.people import new_phone, new_user, new_wallet

PAGE = "FROM `tabSync Record` WHERE space = "


@functools.cache
def person():
	"""A user of the site on the pair; users are dear to make, spaces and devices are not."""
	return new_user()


class Two:
	"""`write()` of the one device gives the id of a new record, `read()` of the other the ids that its pull brings."""

	def __init__(self, server, site):
		self.server, self.site, self.user = server, site, person()
		self.make()


class Wallet(Two):
	def make(self):
		self.wallet = new_wallet(self.user)
		self.one, self.other = (self.phone() for _ in range(2))

	def phone(self):
		return new_phone(self.server, self.site, self.user, self.wallet)

	def write(self):
		item = account()
		assert self.one.push(item)[0]["status"] == "accepted"
		return item["entity_id"]

	def read(self):
		return {item["client_id"] for item in self.other.pull()}


class Tenant(Two):
	def make(self):
		tenant = field.new_tenant()
		apps = (field.new_app(self.server, self.site, tenant, user=self.user) for _ in range(2))
		self.one, self.other = apps
		self.token = None

	def write(self):
		(result,) = self.one.push(field.meter())
		return result["server_id"]

	def read(self):
		changes, self.token = self.other.pull(self.token)
		return {change["id"] for change in changes}


class Farm(Two):
	def make(self):
		name = farm.new_farm()
		self.one, self.other = (
			farm.new_app(self.server, self.site, name, "owner", self.user) for _ in range(2)
		)

	def write(self):
		key = new_id("obs")
		self.one.sync([farm.observation(key, crop="wheat", severity="low")])
		return key

	def read(self):
		return set(self.other.rest())


class Family(Two):
	def make(self):
		home = family.new_family(self.user)
		self.one, self.other = (family.new_app(self.server, self.site, home, self.user) for _ in range(2))

	def write(self):
		key = new_id("task")
		self.one.sync(family.task(key))
		return key

	def read(self):
		return {change["entity_id"] for change in self.other.sync()["server_changes"]}


CONTRACTS = (Wallet, Tenant, Farm, Family)


def asked(pair, call):
	"""What a call gives, and the names of the servers that were asked for a page meanwhile."""
	servers = {"primary": pair.primary, "replica": pair.replica}
	for server in servers.values():
		server.listen()
	given = call()
	return given, [name for name, server in servers.items() if server.heard(PAGE, "sequence > ")]


def first_pull(wallet):
	wallet.other.cursor = None
	return wallet.read()


def answers_again(pair, wallet):
	"""After its pause the replica is asked again."""
	until(lambda: asked(pair, lambda: first_pull(wallet))[1] == ["replica"])
	return True
