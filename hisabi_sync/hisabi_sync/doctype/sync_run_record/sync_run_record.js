frappe.ui.form.on("Sync Run Record", {
	async refresh(frm) {
		frm.disable_save();
		await frappe.require("sync_runs.bundle.js");
		const changes = JSON.parse(frm.doc.changes || "[]");
		frm.fields_dict.changes_html.$wrapper.html(hisabi_sync.runs.changes_html(changes) || __("Nothing"));
		if (!["failed", "dead"].includes(frm.doc.status) || !frappe.user.has_role("Sync Manager")) return;
		const act = async (method, more) => {
			if (await hisabi_sync.runs.act(method, { names: [frm.doc.name], ...more })) frm.reload_doc();
		};
		if (frm.doc.error_code === "both_changed") {
			frm.add_custom_button(__("Keep the values here"), () => act("retry", { keep: "here" }));
			frm.add_custom_button(__("Keep the values there"), () => act("retry", { keep: "there" }));
		}
		frm.page.set_primary_action(__("Retry"), () => act("retry"));
		frm.page.add_menu_item(__("Dismiss"), () => act("dismiss"));
	},
});
