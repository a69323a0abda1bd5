"""Membership rules in words."""

from collections.abc import Callable

from frappe import _

from hisabi_sync.engine.model.space_type import NAMED, PERMISSION, ROLE, SELF, Rule

SENTENCES: dict[str, Callable[[Rule], str]] = {
	ROLE: lambda rule: (
		_("Users with the role {0}, in the space of {1}").format(_(rule.role), rule.key)
		if rule.key
		else _("Users with the role {0}").format(_(rule.role))
	),
	SELF: lambda rule: _("Each user in their own space"),
	PERMISSION: lambda rule: _("User Permissions on {0}").format(_(rule.source)),
	NAMED: lambda rule: _("{0} names the user in {1}").format(_(rule.source), path_of(rule)),
}


def path_of(rule: Rule) -> str:
	return ".".join(step.field for step in rule.user_path)


def said(rule: Rule) -> str:
	"""What a rule says, in the reader's language."""
	return SENTENCES[rule.kind](rule)
