frappe.listview_settings["Sync Item"] = {
	hide_name_column: true,
	add_fields: ["status", "failed", "dismissed", "attempts"],

	get_indicator(doc) {
		if (doc.failed && doc.dismissed) return [__("Dismissed"), "gray", "dismissed,=,1"];
		if (doc.failed && doc.status !== "error") return [__("left undone"), "orange", "failed,=,1"];
		const colors = { accepted: "green", duplicate: "gray", conflict: "orange", error: "red" };
		return [__(doc.status), colors[doc.status], `status,=,${doc.status}`];
	},

	onload(list) {
		const failed = [
			["Sync Item", "failed", "=", 1],
			["Sync Item", "dismissed", "=", 0],
		];
		list.page.add_inner_button(__("Failed"), () => list.filter_area.clear().then(() => list.filter_area.add(failed)));
		if (frappe.user.has_role("Sync Manager")) this.add_actions(list);
	},

	add_actions(list) {
		const with_assets = (work) => frappe.require(["conflict_centre.bundle.js", "conflict_centre.bundle.css"]).then(work);
		const retry = () => {
			const items = list.get_checked_items(true);
			hisabi_sync.run_many(list, "failed_items.retry_many", { items }, __("Retry"));
		};
		list.page.add_actions_menu_item(__("Retry"), () => with_assets(retry), false);
		const dismiss = () => hisabi_sync.dismiss_many(list, "failed_items.dismiss", (items, reason) => ({ items, reason }));
		list.page.add_actions_menu_item(__("Dismiss"), () => with_assets(dismiss), false);
	},
};
