frappe.listview_settings["Sync Batch"] = {
	hide_name_column: true,
	add_fields: ["errors", "conflicts"],

	get_indicator(doc) {
		if (doc.errors) return [__("Errors"), "red", "errors,>,0"];
		if (doc.conflicts) return [__("Conflicts"), "orange", "conflicts,>,0"];
		return [__("Applied"), "green", "errors,=,0"];
	},
};
