"""Users, as Frappe makes them. Most are copies of one: with each user that is saved Frappe empties all caches of the site."""

import copy

import frappe
from frappe.model.naming import set_new_name

from hisabi_sync.engine.database import retry
from tests.support.phone import new_id

PASSWORD = "correct horse battery staple 7"
# What Frappe makes along with a user, by the field that has the user's name.
BESIDE = {"Notification Settings": "name", "DocShare": "user"}

_originals = {}


def make_user(*roles, email=None, password=PASSWORD, prefix="user", **values):
	"""E-mail address of a new user with these roles and no others; without a password he cannot sign in."""
	frappe.set_user("Administrator")
	email = email or f"{new_id(prefix)}@example.com"
	kind = (roles, password, tuple(sorted(values.items())))
	if kind not in _originals:
		_originals[kind] = retry.run(lambda: _save(roles, password, values))
	rows, hashed = _originals[kind]
	assert bool(hashed) == bool(password), "the password of a test user was not kept"
	retry.run(lambda: _copy(rows, hashed, email))
	return email


def _save(roles, password, values):
	"""The rows of a user that Frappe itself made, as documents."""
	email = f"{new_id('original')}@example.com"
	named = {"first_name": "Test", "send_welcome_email": 0, **values}
	user = frappe.get_doc({"doctype": "User", "email": email, **named})
	user.new_password = password
	user.flags.no_welcome_mail = user.flags.ignore_password_policy = True
	user.extend("roles", [{"role": role} for role in roles])
	user.insert(ignore_permissions=True)
	# Frappe makes the first person of a site a System Manager.
	frappe.db.delete("Has Role", {"parent": email, "role": ["not in", roles]})
	frappe.clear_cache(user=email)
	frappe.db.commit()
	beside = [
		frappe.get_doc(doctype, name)
		for doctype, field in BESIDE.items()
		for name in frappe.get_all(doctype, {field: email}, pluck="name")
	]
	user = frappe.get_doc("User", email)
	user.username = None  # unique, and nobody needs one
	return [user, *beside], _hash_of(email)


def _hash_of(email):
	"""The hash of a user's password; a user without one could not sign in, and no test would say why."""
	found = frappe.db.sql("SELECT password FROM `__Auth` WHERE doctype = 'User' AND name = %s", (email,))
	return found[0][0] if found else None


def _copy(rows, hashed, email):
	original = rows[0].name
	for document in copy.deepcopy(rows):
		for row in (document, *document.get_all_children()):
			for field, value in row.as_dict().items():
				if value == original:
					row.set(field, email)
			if row.name != email:
				row.name = None
				set_new_name(row)
			row.db_insert()
	if hashed:
		frappe.db.sql(
			"""INSERT INTO `__Auth` (doctype, name, fieldname, password, encrypted)
			VALUES ('User', %s, 'password', %s, 0)""",
			(email, hashed),
		)
	frappe.db.commit()
	frappe.cache.delete_keys("enabled_users")
