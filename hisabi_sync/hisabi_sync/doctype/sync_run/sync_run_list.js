frappe.listview_settings["Sync Run"] = {
	hide_name_column: true,
	add_fields: ["status", "dry_run"],
	formatters: {
		// They are counted when a run ends.
		records_total: (value, df, doc) => (["queued", "running"].includes(doc.status) ? "" : value),
		records_failed: (value, df, doc) => (["queued", "running"].includes(doc.status) ? "" : value),
	},
	onload(list) {
		this.list = list;
	},
	// Frappe shows a title as it is stored; a formatter would take the row's link and box away.
	before_render() {
		this.list?.data.forEach((row) => (row.entity = __(row.entity)));
	},
	// States of the DocType would go before this.
	get_indicator(doc) {
		const colours = {
			queued: "gray",
			running: "blue",
			completed: "green",
			completed_with_errors: "orange",
			failed: "red",
			cancelled: "gray",
		};
		const state = doc.status === "completed_with_errors" ? __("with errors") : __(doc.status);
		const label = doc.dry_run ? __("{0}, rehearsal", [state]) : state;
		return [label, colours[doc.status], `status,=,${doc.status}`];
	},
};
