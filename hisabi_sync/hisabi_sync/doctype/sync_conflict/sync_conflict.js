const ASSETS = ["conflict_centre.bundle.js", "conflict_centre.bundle.css"];

frappe.ui.form.on("Sync Conflict", {
	async refresh(frm) {
		frm.disable_save();
		await frappe.require(ASSETS);
		await hisabi_sync.show_conflict(frm);
	},
});
