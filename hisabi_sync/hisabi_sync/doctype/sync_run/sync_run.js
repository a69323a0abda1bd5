const OPEN = ["queued", "running"];

frappe.ui.form.on("Sync Run", {
	async refresh(frm) {
		frm.disable_save();
		await frappe.require("sync_runs.bundle.js");
		frm.sync_progress ??= frappe.utils.throttle(() => hisabi_sync.runs.show(frm), 800);
		frappe.realtime.off("sync_run_progress");
		frappe.realtime.on("sync_run_progress", (data) => data.run === frm.doc.name && frm.sync_progress());
		await hisabi_sync.runs.show(frm);
		if (!frappe.user.has_role("Sync Manager")) return;
		if (OPEN.includes(frm.doc.status)) {
			frm.page.add_menu_item(__("Cancel this run"), () => cancel(frm));
		} else if (frm.doc.records_failed) {
			frm.page.set_primary_action(__("Retry what failed"), () => retry(frm));
		}
	},
});

function cancel(frm) {
	frappe.confirm(__("Cancel this run? What is on its way comes to its end."), async () => {
		if (await hisabi_sync.runs.call("cancel", { run: frm.doc.name })) frm.reload_doc();
	});
}

async function retry(frm) {
	const answer = await hisabi_sync.runs.call("retry", { run: frm.doc.name });
	if (!answer) return;
	frappe.show_alert({ message: __("{0} records are tried again", [answer.records_queued]), indicator: "blue" });
	frm.reload_doc();
}
