"""Commands that the app adds to Frappe's command line."""

import json
from pathlib import Path

import click
import frappe
from frappe.commands import get_site, pass_context


@click.command("hisabi-demo-site")
@click.option("--output", type=click.Path(path_type=Path), help="JSON file for the logins and the token")
@pass_context
def demo_site(context, output):
	"""Create the people, the wallet and the device of a demonstration site."""
	from hisabi_sync.demo import site

	frappe.init(site=get_site(context))
	frappe.connect()
	try:
		info = json.dumps(site.prepare(), indent=1)
	finally:
		frappe.destroy()
	output.write_text(info) if output else click.echo(info)


@click.command("hisabi-reconcile")
@click.option("--entity-type", help="Only this entity type")
@pass_context
def reconcile_site(context, entity_type):
	"""Find changes that no hook saw, such as raw SQL, and number them."""
	from hisabi_sync.engine import reconcile

	frappe.init(site=get_site(context))
	frappe.connect()
	try:
		click.echo(json.dumps(reconcile.run(entity_type)))
	finally:
		frappe.destroy()


commands = [demo_site, reconcile_site]
