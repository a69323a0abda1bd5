frappe.listview_settings["Sync Connection"] = {
	hide_name_column: true,
	add_fields: ["status", "enabled"],
	formatters: {
		connector: (value) => (frappe.boot.hisabi_sync_connectors || []).find((row) => row.value === value)?.label || frappe.utils.escape_html(value),
	},
	get_indicator(doc) {
		if (!doc.enabled) return [__("Disabled"), "gray", "enabled,=,0"];
		return [__(doc.status), doc.status === "Paused" ? "orange" : "green", `status,=,${doc.status}`];
	},
};
