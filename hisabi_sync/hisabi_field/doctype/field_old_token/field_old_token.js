frappe.ui.form.on("Field Old Token", {
	async refresh(frm) {
		if (!frm.is_new()) {
			return;
		}
		// Tenants to choose from; what is typed has to be one of them.
		const tenants = await frappe.db.get_list("Sync Space", {
			filters: { space_type: "tenant" },
			fields: ["space_key as value", "title as label"],
			limit: 100,
		});
		frm.fields_dict.tenant?.set_data?.(tenants);
	},
});
