"""What can go wrong in calls and items of the site contract."""

from hisabi_sync.engine.model.errors import register

register(
	requests={
		"client_outdated": (426, "The app is too old for this site", False),
		"space_required": (417, "Say in which space: there are several, or none", False),
		"pdf_unavailable": (501, "This site cannot make a PDF; ask for format=html", False),
		"print_failed": (417, "The print format of these records cannot print this one", False),
	},
	items={
		"unknown_type": "There is no such type: {fields}",
		"base_required": "base_version or base_values is required",
	},
)
