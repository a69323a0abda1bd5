"""Commands that the app adds to Frappe's command line."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import frappe
from frappe.commands import get_site, pass_context


@click.command("hisabi-demo-site")
@click.option("--output", type=click.Path(path_type=Path), help="JSON file for the logins and the token")
@pass_context
def demo_site(context: Any, output: Path | None) -> None:
	"""Create the people, the wallet and the device of a demonstration site."""
	with _site(context), _demo_extra():
		from hisabi_sync.demo import site

		info = json.dumps(site.prepare(), indent=1)
	output.write_text(info) if output else click.echo(info)


@click.command("hisabi-reconcile")
@click.option("--entity-type", help="Only this one: its name, or what devices call it")
@pass_context
def reconcile_site(context: Any, entity_type: str | None) -> None:
	"""Find changes that no hook saw, such as raw SQL, and number them."""
	from hisabi_sync.engine import reconcile

	with _site(context):
		names = _compared(entity_type) if entity_type else [None]
		counts = [reconcile.run(name) for name in names]
		click.echo(json.dumps({key: sum(found[key] for found in counts) for key in counts[0]}))


@click.command("hisabi-memberships")
@click.option("--space-type", help="Only spaces of this type")
@pass_context
def follow_memberships(context: Any, space_type: str | None) -> None:
	"""Bring memberships in line with the rules of the Sync Space Types, after changes that no hook saw."""
	from hisabi_sync.engine.entities.entity_types import registry
	from hisabi_sync.engine.sharing import memberships

	with _site(context):
		if space_type and space_type not in registry().space_types:
			raise click.UsageError(f"There is no Sync Space Type {space_type}.")
		click.echo(json.dumps(memberships.run(space_type)))


@click.command("hisabi-field-sales")
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be made, and make nothing")
@click.option("--grant-reading", is_flag=True, help="Let the role of the reps read prices")
@pass_context
def set_up_field_sales(context: Any, only_plan: bool, grant_reading: bool) -> None:
	"""Make the space types and entity types of a sales team on ERPNext. What is there already is left alone."""
	from hisabi_sync.hisabi_commerce import field_sales

	with _site(context):
		if grant_reading and not only_plan:
			field_sales.grant()
		parts = field_sales.plan() if only_plan else field_sales.make()
		frappe.db.commit()
	for part in parts:
		why = part.reason or ("lacks " + ", ".join(part.lacks) if part.lacks else "")
		click.echo("\t".join(filter(None, (part.state, part.kind, part.title, why))))
	raise SystemExit(int(any(part.state == field_sales.REFUSED for part in parts)))


def _compared(entity_type: str) -> list[str]:
	"""Names of the entity types that are called so and can be compared; there is at least one."""
	from hisabi_sync.engine.entities.entity_types import registry

	compiled = registry()
	names = compiled.names_of(entity_type)
	found = [name for name in names if compiled.is_open(name)]
	if found:
		return found
	if names[0] in compiled.broken:
		raise click.ClickException(f"{names[0]} cannot be compared: {compiled.broken[names[0]].reason}")
	if names[0] in compiled.by_name:
		raise click.ClickException(f"{names[0]} is switched off, so that nothing is compared.")
	raise click.UsageError(f"There is no entity type {entity_type}.")


@click.command("hisabi-demo")
@click.option("--wallets", type=click.IntRange(1, 10_000), default=3, show_default=True, help="Households")
@click.option(
	"--transactions",
	type=click.IntRange(0),
	default=600,
	show_default=True,
	help="Transactions of all households together",
)
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same households")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day of the households; today at first")
@click.option(
	"--days",
	type=click.IntRange(0, 150),
	default=0,
	help="Spread the log rows of new households over this many past days, for charts",
)
@pass_context
def demo_households(
	context: Any, wallets: int, transactions: int, seed: int, until: datetime | None, days: int
) -> None:
	"""Write believable households through the sync engine. Existing ones stay unchanged."""
	with _site(context), _demo_extra():
		from hisabi_sync.demo import show

		drift = show.run(wallets, transactions, seed, until and until.date(), days)
	raise SystemExit(int(drift))


@click.command("hisabi-verify")
@click.option("--wallet", help="Only this wallet")
@click.option("--repair", is_flag=True, help="Correct what has drifted")
@pass_context
def verify_wallets(context: Any, wallet: str | None, repair: bool) -> None:
	"""Compare balances and other derived values with their computation from scratch. Exit status 1: drift is left."""
	from hisabi_sync.hisabi_wallet.derived import verify

	with _site(context):
		if wallet and not frappe.db.exists("Hisabi Wallet", wallet):
			raise click.UsageError(f"There is no wallet {wallet}.")
		names = [wallet] if wallet else frappe.get_all("Hisabi Wallet", pluck="name", order_by="name")
		found = sum(_tell_drift(name, verify.verify(name, repair)) for name in names)
	wallets = "1 wallet" if len(names) == 1 else f"{len(names)} wallets"
	values = "1 value differs" if found == 1 else f"{found} values differ"
	click.echo(f"{wallets}, {values}{', repaired' if found and repair else ''}.")
	raise SystemExit(int(bool(found) and not repair))


def _tell_drift(wallet: str, drift: Collection[Mapping[str, Any]]) -> int:
	for row in drift:
		where = f"{wallet}: {row['entity_type']} {row['client_id']}, {row['field']}"
		click.echo(f"{where}: {_plain(row['stored'])} is stored, {_plain(row['computed'])} is right")
	return len(drift)


def _plain(text: str) -> str:
	"""A number without the zeros that a database keeps behind it."""
	return text.rstrip("0").rstrip(".") if "." in text else text.replace("0E-9", "0")


@click.command("hisabi-restored")
@pass_context
def after_restore(context: Any) -> None:
	"""To be run once after a backup was restored: all devices start over with their next pull."""
	from hisabi_sync.engine.store import sequence

	with _site(context):
		spaces = sequence.leap()
		frappe.db.commit()
	click.echo(f"Devices of {spaces} spaces start over with their next pull.")


@click.command("hisabi-replica")
@pass_context
def look_at_replica(context: Any) -> None:
	"""Whether the read replica can answer pulls, and for how many spaces it cannot at present."""
	from hisabi_sync.engine import replica

	with _site(context):
		try:
			spaces, behind = replica.behind()
		except replica.Unfit as error:
			raise click.ClickException(f"The replica answers no pulls: {error}") from error
	click.echo(f"The replica answers pulls of {spaces - behind} spaces; it is behind in {behind}.")


@contextmanager
def _site(context: Any) -> Iterator[None]:
	"""A connection to the site that the command line names."""
	frappe.init(site=get_site(context))
	frappe.connect()
	try:
		yield
	finally:
		frappe.destroy()


@contextmanager
def _demo_extra() -> Iterator[None]:
	"""Say what to install where the packages for demo data are missing."""
	try:
		yield
	except ModuleNotFoundError as error:
		if error.name not in ("faker", "rich"):
			raise
		raise click.ClickException(
			f"{error.name} is missing: install the app with its demo extra, hisabi_sync[demo]"
		) from error


commands = [
	demo_site,
	demo_households,
	reconcile_site,
	follow_memberships,
	set_up_field_sales,
	verify_wallets,
	after_restore,
	look_at_replica,
]
