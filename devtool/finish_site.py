"""Run inside a bench on a new site: skip the setup wizard, and turn the scheduler on if asked."""

import os
import sys

import frappe

SETTINGS = {"setup_complete": 1, "enable_onboarding": 0}


def skip_setup_wizard() -> None:
	"""Say that the site is set up, so that the Desk opens at once."""
	for field, value in SETTINGS.items():
		frappe.db.set_single_value("System Settings", field, value)
	frappe.db.set_default("desktop:home_page", "workspace")
	# Newer versions ask each installed app instead of the settings.
	if frappe.get_meta("Installed Application").has_field("is_setup_complete"):
		frappe.db.set_value("Installed Application", {"app_name": ("is", "set")}, "is_setup_complete", 1)


def main(arguments: list[str]) -> None:
	"""Finish the site that the environment names."""
	frappe.init(site=os.environ["FRAPPE_SITE"])
	frappe.connect()
	skip_setup_wizard()
	frappe.db.set_single_value("System Settings", "enable_scheduler", int("--scheduler" in arguments))
	frappe.db.commit()
	frappe.clear_cache()
	frappe.destroy()


if __name__ == "__main__":
	main(sys.argv[1:])
