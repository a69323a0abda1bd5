frappe.listview_settings["Sync Space Type"] = {
	onload(listview) {
		if (!frappe.user.has_role("System Manager")) return;
		listview.page.add_inner_button(__("Set up field sales"), async () => {
			await frappe.require(["field_sales.bundle.js", "field_sales.bundle.css"]);
			hisabi_sync.set_up_field_sales(() => listview.refresh());
		});
	},
};
