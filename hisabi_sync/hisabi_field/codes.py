"""What can go wrong with submissions."""

from hisabi_sync.engine.model.errors import register

register(
	requests={},
	items={
		"form_data_invalid": "The answers do not fit the form: {fields}",
		"media_not_usable": "Some files were not uploaded, or differ from what the record says about them: {fields}",
	},
)
