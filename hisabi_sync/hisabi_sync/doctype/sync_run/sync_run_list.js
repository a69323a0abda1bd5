frappe.listview_settings["Sync Run"] = {
	hide_name_column: true,
	add_fields: ["status", "dry_run", "records_failed"],
	get_indicator(doc) {
		const colours = {
			queued: "gray",
			running: "blue",
			completed: "green",
			completed_with_errors: "orange",
			failed: "red",
			cancelled: "gray",
		};
		const label = doc.dry_run ? __("{0}, rehearsal", [__(doc.status)]) : __(doc.status);
		return [label, colours[doc.status], `status,=,${doc.status}`];
	},
};
