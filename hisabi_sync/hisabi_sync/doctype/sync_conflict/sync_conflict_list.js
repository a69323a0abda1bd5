frappe.listview_settings["Sync Conflict"] = {
	hide_name_column: true,
	add_fields: ["status", "kind", "document_name"],
	has_indicator_for_draft: false,

	onload(list) {
		const views = {
			[__("Open")]: [["status", "=", "Open"]],
			[__("Mine, settled")]: [["resolved_by", "=", frappe.session.user]],
			[__("Decided by a policy")]: [["status", "=", "Decided"]],
			[__("Deletes and taken values")]: [
				["status", "=", "Open"],
				["kind", "in", ["delete", "unique"]],
			],
		};
		for (const [label, filters] of Object.entries(views)) {
			const rows = filters.map((filter) => ["Sync Conflict", ...filter]);
			list.page.add_inner_button(label, () => list.filter_area.clear().then(() => list.filter_area.add(rows)), __("Show"));
		}
		if (frappe.user.has_role("Sync Manager")) this.add_actions(list);
	},

	add_actions(list) {
		const with_assets = (work) => frappe.require(["conflict_centre.bundle.js", "conflict_centre.bundle.css"]).then(work);
		const settle = (side, title) => with_assets(() => hisabi_sync.settle_many(list, side, title));
		list.page.add_actions_menu_item(__("Keep the server's side"), () => settle("accept_server", __("Keep the server's side")), false);
		list.page.add_actions_menu_item(__("Keep the device's side"), () => settle("accept_client", __("Keep the device's side")), false);
		const values = (conflicts, reason) => ({ conflicts, reason, resolution: "dismiss" });
		const dismiss = () => hisabi_sync.dismiss_many(list, "conflicts.resolve_many", values);
		list.page.add_actions_menu_item(__("Dismiss"), () => with_assets(dismiss), false);
	},
};
