frappe.listview_settings["Sync Run Record"] = {
	hide_name_column: true,
	add_fields: ["status"],

	formatters: {
		entity: (value) => __(value),
	},

	onload(list) {
		const failed = [["Sync Run Record", "status", "in", ["failed", "dead"]]];
		list.page.add_inner_button(__("Failed"), () => list.filter_area.clear().then(() => list.filter_area.add(failed)));
		if (!frappe.user.has_role("Sync Manager")) return;
		const act = async (method) => {
			await frappe.require("sync_runs.bundle.js");
			const names = list.get_checked_items(true);
			if (await hisabi_sync.runs.act(method, { names })) list.refresh();
		};
		list.page.add_actions_menu_item(__("Retry"), () => act("retry"), false);
		list.page.add_actions_menu_item(__("Dismiss"), () => act("dismiss"), false);
	},
};
