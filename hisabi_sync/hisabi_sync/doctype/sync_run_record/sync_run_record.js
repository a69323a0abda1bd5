frappe.ui.form.on("Sync Run Record", {
	async refresh(frm) {
		frm.disable_save();
		await frappe.require("sync_runs.bundle.js");
		const changes = JSON.parse(frm.doc.changes || "[]");
		frm.fields_dict.changes_html.$wrapper.html(hisabi_sync.runs.changes_html(changes) || __("Nothing"));
		if (!["failed", "dead"].includes(frm.doc.status) || !frappe.user.has_role("Sync Manager")) return;
		const act = async (method) => {
			if (await hisabi_sync.runs.act(method, { names: [frm.doc.name] })) frm.reload_doc();
		};
		frm.page.set_primary_action(__("Retry"), () => act("retry"));
		frm.page.add_menu_item(__("Dismiss"), () => act("dismiss"));
	},
});
