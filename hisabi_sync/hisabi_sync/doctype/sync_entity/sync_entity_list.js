frappe.listview_settings["Sync Entity"] = {
	add_fields: ["enabled", "problem"],
	get_indicator(doc) {
		if (doc.problem) return [__("Broken"), "red", "problem,is,set"];
		if (doc.enabled) return [__("Enabled"), "green", "enabled,=,1|problem,is,not set"];
		return [__("Disabled"), "gray", "enabled,=,0"];
	},
};
