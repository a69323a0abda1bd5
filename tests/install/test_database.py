"""The app refuses a site that is not on MariaDB before it makes anything there."""

import frappe
import pytest

from hisabi_sync import hooks, install


def test_a_site_on_another_database_is_refused_in_one_sentence(site, monkeypatch):
	assert frappe.get_attr(hooks.before_install) is install.check_database
	install.check_database()
	monkeypatch.setitem(frappe.local.conf, "db_type", "postgres")
	with pytest.raises(frappe.ValidationError, match="needs a site on MariaDB; this one is on postgres"):
		install.check_database()
