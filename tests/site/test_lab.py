"""Two devices and the Desk over several spaces, with lost answers, moves and memberships that come and go: in the end all agree."""

import random

import frappe
import pytest

from tests.sharing.world import REP, VISIT, delete, document, region
from tests.site.app import create, new_device, update
from tests.site.app import delete as removal

STEPS = 60
LOST = 0.3  # of the answers


class Lab:
	def __init__(self, seed, rep):
		self.chance, self.regions = random.Random(seed), [region() for _ in range(4)]
		self.devices = [rep(*self.regions[:3]), rep(*self.regions[1:])]

	def step(self):
		chore = self.chance.choice(
			(self.write, self.write, self.write, self.pull, self.pull, self.office, self.move, self.join)
		)
		chore()

	def write(self):
		"""A device sends some changes, perhaps twice, for it may not hear the answer."""
		device = self.chance.choice(self.devices)
		changes = [self.change(device) for _ in range(self.chance.randint(1, 4))]
		results = device.push(*changes, atomic=self.chance.random() < 0.2)
		if self.chance.random() < LOST:
			again = list(zip(changes, results, strict=True))
			self.chance.shuffle(again)
			repeated = device.push(*(one for one, _ in again))
			for (_, first), second in zip(again, repeated, strict=True):
				if first["status"] in ("accepted", "duplicate"):
					assert (second["status"], second["version"]) == (first["status"], first["version"])
					assert second["already_applied"]

	def change(self, device):
		held = [one for one in device.held.values() if one["type"] == VISIT]
		op, note = self.chance.random(), f"{device.device_id} {self.chance.random()}"
		if not held or op < 0.4:
			return create(VISIT, note=note, region=self.chance.choice(self.regions))
		one = self.chance.choice(held)
		if op < 0.5:
			return removal(VISIT, one["id"], one["version"])
		return update(VISIT, one["id"], one["version"], note=note)

	def pull(self):
		"""A device pulls one page, and may not hear it."""
		device = self.chance.choice(self.devices)
		given = {"limit": self.chance.randint(1, 5), **({"cursor": device.cursor} if device.cursor else {})}
		answer = device.call("pull", given)
		assert answer.status_code == 200, answer.text
		if self.chance.random() >= LOST:
			device.take(answer.json())

	def office(self):
		"""A person in the Desk edits or deletes a visit."""
		if name := self.some():
			doc = frappe.get_doc(VISIT, name)
			if self.chance.random() < 0.2:
				delete(doc)
			else:
				self.save(doc, note=f"office {self.chance.random()}")

	def move(self):
		if name := self.some():
			self.save(frappe.get_doc(VISIT, name), region=self.chance.choice(self.regions))

	def save(self, doc, **values):
		doc.update(values)
		doc.save()
		frappe.db.commit()

	def some(self):
		frappe.db.rollback()
		names = frappe.get_all(
			VISIT, {"region": ["in", self.regions]}, pluck="name", order_by="creation, name"
		)
		return self.chance.choice(names) if names else None

	def join(self):
		"""A rep leaves a region or comes into one."""
		device, place = self.chance.choice(self.devices), self.chance.choice(self.regions)
		if row := device.rows.pop(place, None):
			delete(row)
		else:
			device.rows[place] = document(REP, user=device.user, region=place)

	def truth(self, device):
		"""{id: (note, version)} of the visits in the regions of a device's user."""
		frappe.db.rollback()
		rows = frappe.db.sql(
			f"""SELECT r.client_id, v.note, r.doc_version FROM `tabSync Record` r
			JOIN `tabSync Space Member` m ON m.space = r.space AND m.user = %s AND m.status = 'active'
			JOIN `tabSync Space` s ON s.name = r.space AND s.space_key IN %s
			JOIN `tab{VISIT}` v ON v.name = r.document_name WHERE r.deleted_at IS NULL""",  # noqa: S608
			(device.user, tuple(self.regions)),
		)
		return {identity: (note, version) for identity, note, version in rows}


@pytest.mark.parametrize("seed", range(4))
def test_two_devices_and_the_desk_agree_in_the_end(rep, server, site, seed):
	lab = Lab(seed, rep)
	for _ in range(STEPS):
		lab.step()
	for device in lab.devices:
		device.pull(limit=7)
		held = {one["id"]: (one["values"]["note"], one["version"]) for one in device.held.values()}
		assert held == lab.truth(device), f"seed {seed}"
		fresh = new_device(server, site, device.user)
		fresh.pull()
		assert {key: one["version"] for key, one in fresh.held.items()} == {
			key: one["version"] for key, one in device.held.items()
		}
