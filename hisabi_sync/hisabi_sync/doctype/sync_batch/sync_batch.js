const ASSETS = ["conflict_centre.bundle.js", "conflict_centre.bundle.css"];

frappe.ui.form.on("Sync Batch", {
	refresh(frm) {
		frm.disable_save();
		if (frm.doc.errors && frappe.user.has_role("Sync Manager")) {
			frm.page.set_primary_action(__("Process failed items again"), () => replay(frm));
		}
	},
});

// What was applied stays; what failed is judged again and keeps its op id.
async function replay(frm) {
	await frappe.require(ASSETS);
	const title = __("Process failed items again");
	const outcome = await hisabi_sync.run_on("Sync Item", "failed_items.retry_batch", { batch_id: frm.doc.name }, title);
	if (outcome) await frm.reload_doc();
}
