frappe.ui.form.on("Field Recommendation", {
	async refresh(frm) {
		if (frm.is_new()) {
			// Farms to choose from; what is typed has to be one of them.
			const farms = await frappe.db.get_list("Sync Space", {
				filters: { space_type: "farm" },
				fields: ["space_key as value", "title as label"],
				limit: 100,
			});
			frm.fields_dict.farm?.set_data?.(farms);
		} else if (frm.doc.status === "confirmed") {
			frm.disable_save();
		} else if (frm.perm[0]?.write && !frm.doc.is_deleted) {
			frm.add_custom_button(__("Confirm"), () => confirm_it(frm)).addClass("btn-primary");
		}
	},
});

async function confirm_it(frm) {
	await frm.set_value("status", "confirmed");
	frm.save();
}
