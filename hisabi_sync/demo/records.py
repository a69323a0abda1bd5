"""What a household sets up before it writes down what it spends: everything but transactions, as items of a push."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from hisabi_sync.demo import words
from hisabi_sync.demo.home import Home, milliseconds, wire
from hisabi_sync.hisabi_wallet import defaults

MEMBERS = 10  # of a jameya
PAID = 6  # of its months
RATES = 6  # months of exchange rates


def of(home: Home) -> Iterator[dict[str, Any]]:
	"""All items of a household's set-up, in an order in which nothing comes before what it links to."""
	for part in PARTS:
		yield from part(home)


def _wallet(home: Home) -> Iterator[dict[str, Any]]:
	"""The last day of the household is kept as the time at which the phone made the wallet, so it can be found again."""
	moment = milliseconds(home.end)
	yield home.create(
		"Hisabi Wallet",
		home.wallet_id,
		wallet_name=home.title,
		status="active",
		created_from_device=home.owner.device_id,
		client_created_ms=moment,
	)


def _settings(home: Home) -> Iterator[dict[str, Any]]:
	person = home.people[0]
	yield home.create(
		"Hisabi Settings",
		home.id("settings"),
		user_name=person.first_name,
		base_currency=home.money.base,
		enabled_currencies=[home.money.base, home.money.second],
		app_language=home.language,
		locale={"ar": "ar-SA", "en": "en-GB"}[home.language],
		theme_mode=home.chance("theme").choice(("system", "light", "dark")),
		notifications_preferences={"budgets": True, "debts": True, "jameya": home.language == "ar"},
		week_start_day={"ar": 6, "en": 1}[home.language],
	)


def _currencies(home: Home) -> Iterator[dict[str, Any]]:
	yield home.create("Hisabi Custom Currency", home.id("currency", "gold"), **words.CUSTOM)
	for month in range(RATES):
		drift = home.chance("rate", month).uniform(0.985, 1.015)
		yield home.create(
			"Hisabi FX Rate",
			home.id("rate", month),
			base_currency=home.money.base,
			quote_currency=home.money.second,
			rate=round(home.money.rate * drift, 6),
			effective_date=home.day(30 * month),
			last_updated=home.day(30 * month),
			source="custom" if month == 1 else "api",
		)


def _accounts(home: Home) -> Iterator[dict[str, Any]]:
	bank = home.say(home.chance("bank").choice(words.BANKS))
	for order, (key, kind, second, name, opening, color) in enumerate(words.ACCOUNTS):
		yield home.create(
			"Hisabi Account",
			home.id("account", key),
			account_name=home.say(name, bank),
			account_type=kind,
			currency=home.money.second if second else home.money.base,
			opening_balance=home.amount(opening, home.chance("opening", key), base=not second),
			color=color,
			sort_order=order,
		)


def _buckets(home: Home) -> Iterator[dict[str, Any]]:
	for order, (key, name, _, color) in enumerate(words.BUCKETS):
		payload = {"title": home.say(name), "color": color, "sort_order": order}
		yield home.create("Hisabi Bucket", home.id("bucket", key), **payload)
	rows = [{"bucket_id": home.id("bucket", key), "percentage": share} for key, _, share, _ in words.BUCKETS]
	title = home.say(words.TEMPLATE)
	yield home.create(
		"Hisabi Bucket Template", home.id("template"), title=title, is_default=1, template_items=rows
	)
	payload = {"rule_name": home.say(words.RULE), "scope_type": "global", "is_default": 1}
	yield home.create("Hisabi Allocation Rule", home.id("rule"), **payload)
	for order, (key, _, share, _) in enumerate(words.BUCKETS):
		line = {"rule": home.id("rule"), "bucket": home.id("bucket", key), "percent": share}
		yield home.create("Hisabi Allocation Rule Line", home.id("line", key), **line, sort_order=order)


def _categories(home: Home) -> Iterator[dict[str, Any]]:
	"""The app's default categories in the household's language, and its own in the other one."""
	for order, (key, kind, english, arabic, icon, color) in enumerate(defaults.CATEGORIES):
		yield home.create(
			"Hisabi Category",
			home.id("category", key),
			category_name=home.say((english, arabic)),
			kind=kind,
			icon=icon,
			color=color,
			sort_order=order,
		)
	for key, parent, bucket, (english, arabic) in words.CATEGORIES:
		yield home.create(
			"Hisabi Category",
			home.id("category", key),
			category_name=home.say((arabic, english)),
			kind="expense",
			parent_category=home.id("category", parent),
			default_bucket=home.id("bucket", bucket),
		)


def _budgets(home: Home) -> Iterator[dict[str, Any]]:
	start = home.end.replace(day=1, hour=0)
	for key, period, category, name, amount in words.BUDGETS:
		scope = {"scope_type": "total"}
		if category:
			scope = {"scope_type": "category", "category": home.id("category", category)}
		yield home.create(
			"Hisabi Budget",
			home.id("budget", key),
			budget_name=home.say(name),
			period=period,
			currency=home.money.base,
			amount=home.amount(amount),
			start_date=wire(start if period == "monthly" else start - timedelta(days=60)),
			**scope,
		)


def _debts(home: Home) -> Iterator[dict[str, Any]]:
	for key, direction, kind, name, amount, count, paid in words.DEBTS:
		other = home.chance("debt", key).choice(home.places)
		phone = {"counterparty_phone": f"+9665{home.chance('phone', key).randint(10_000_000, 99_999_999)}"}
		yield home.create(
			"Hisabi Debt",
			home.id("debt", key),
			debt_name=home.say(name),
			direction=direction,
			currency=home.money.base,
			principal_amount=home.amount(amount),
			counterparty_type=kind,
			counterparty_name=other,
			due_date=home.day(-30 * (count - paid)),
			**(phone if kind == "user_phone" else {}),
		)
		for number in range(count):
			yield _installment(home, key, home.amount(amount) / count, number, paid)


def _installment(home: Home, debt: str, amount: float, number: int, paid: int) -> dict[str, Any]:
	due = home.day(30 * (paid - number))
	settled = {"status": "paid", "paid_at": due, "paid_amount": round(amount, 2)}
	return home.create(
		"Hisabi Debt Installment",
		home.id("installment", debt, number),
		debt=home.id("debt", debt),
		due_date=due,
		amount=round(amount, 2),
		**(settled if number < paid else {"status": "late" if number == paid > 0 else "due"}),
	)


def _debt_requests(home: Home) -> Iterator[dict[str, Any]]:
	amount = home.amount(2_000)
	yield home.create(
		"Hisabi Debt Request",
		home.id("request"),
		to_phone=f"+9665{home.chance('phone', 'cousin').randint(10_000_000, 99_999_999)}",
		debt_payload={"debt": home.id("debt", "cousin"), "amount": amount, "currency": home.money.base},
		status="pending",
	)


def _goals(home: Home) -> Iterator[dict[str, Any]]:
	for key, kind, link, target, name, amount in words.GOALS:
		second = target == "savings"
		yield home.create(
			"Hisabi Goal",
			home.id("goal", key),
			goal_name=home.say(name),
			goal_type=kind,
			currency=home.money.second if second else home.money.base,
			target_amount=home.amount(amount, base=not second),
			target_date=home.day(-200),
			status="active",
			**{link: home.id(link.removeprefix("linked_"), target)},
		)


def _jameya(home: Home) -> Iterator[dict[str, Any]]:
	turn, share = home.chance("turn").randint(1, MEMBERS), home.amount(500)
	yield home.create(
		"Hisabi Jameya",
		home.id("jameya"),
		jameya_name=home.say(words.JAMEYA),
		currency=home.money.base,
		monthly_amount=share,
		total_members=MEMBERS,
		my_turn=turn,
		period="monthly",
		start_date=home.day(30 * PAID),
	)
	for number in range(1, MEMBERS + 1):
		due = home.day(30 * (PAID - number + 1))
		done = {"status": "received" if number == turn else "paid", "paid_at": due}
		yield home.create(
			"Hisabi Jameya Payment",
			home.id("payment", number),
			jameya=home.id("jameya"),
			period_number=number,
			due_date=due,
			amount=share,
			is_my_turn=int(number == turn),
			**(done if number <= PAID else {"status": "due"}),
		)


def _recurring(home: Home) -> Iterator[dict[str, Any]]:
	for key, kind, category, account, title, amount, day in words.RECURRING:
		yield home.create(
			"Hisabi Recurring Rule",
			home.id("recurring", key),
			title=home.say(title),
			transaction_type=kind,
			amount=home.amount(amount),
			currency=home.money.base,
			category_id=home.id("category", category),
			account_id=home.id("account", account),
			start_date=home.day(180)[:10],
			rrule_type="monthly",
			bymonthday=day,
			created_from="local",
		)
	yield home.create(
		"Hisabi Recurring Instance",
		home.id("occurrence", "skipped"),
		rule_id=home.id("recurring", "internet"),
		occurrence_date=home.day(20)[:10],
		status="skipped",
		skip_reason=home.say(words.SKIPPED),
	)


PARTS = (
	_wallet,
	_settings,
	_currencies,
	_accounts,
	_buckets,
	_categories,
	_budgets,
	_debts,
	_debt_requests,
	_goals,
	_jameya,
	_recurring,
)
