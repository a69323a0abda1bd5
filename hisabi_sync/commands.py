"""Commands that the app adds to Frappe's command line."""

commands = []
