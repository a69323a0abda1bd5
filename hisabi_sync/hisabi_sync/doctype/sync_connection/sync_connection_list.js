frappe.listview_settings["Sync Connection"] = {
	hide_name_column: true,
	add_fields: ["status", "enabled"],
	get_indicator(doc) {
		if (!doc.enabled) return [__("Disabled"), "gray", "enabled,=,0"];
		return [__(doc.status), doc.status === "Paused" ? "orange" : "green", `status,=,${doc.status}`];
	},
};
