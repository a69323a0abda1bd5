frappe.ui.form.on("Sync Run Record", {
	async refresh(frm) {
		frm.disable_save();
		if (!["failed", "dead"].includes(frm.doc.status) || !frappe.user.has_role("Sync Manager")) return;
		await frappe.require("sync_runs.bundle.js");
		const act = async (method) => {
			if (await hisabi_sync.runs.call(method, { names: [frm.doc.name] })) frm.reload_doc();
		};
		frm.page.set_primary_action(__("Retry"), () => act("retry"));
		frm.page.add_menu_item(__("Dismiss"), () => act("dismiss"));
	},
});
