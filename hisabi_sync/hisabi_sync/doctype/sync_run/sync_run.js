const OPEN = ["queued", "running"];

frappe.ui.form.on("Sync Run", {
	async refresh(frm) {
		frm.disable_save();
		frm.sync_dismisses = null;
		await frappe.require("sync_runs.bundle.js");
		frm.sync_progress ??= frappe.utils.throttle(() => show(frm), 800);
		frappe.realtime.off("sync_run_progress");
		frappe.realtime.on("sync_run_progress", (data) => data.run === frm.doc.name && frm.sync_progress());
		if (frappe.user.has_role("Sync Manager") && OPEN.includes(frm.doc.status)) {
			frm.page.add_menu_item(__("Cancel this run"), () => cancel(frm));
		}
		await show(frm);
	},
});

async function show(frm) {
	const answer = await hisabi_sync.runs.show(frm);
	if (!answer) return;
	await tell_pause(frm);
	if (!answer.causes.length) return frm.page.clear_primary_action();
	if (!frappe.user.has_role("Sync Manager")) return;
	frm.page.set_primary_action(__("Retry what failed"), () => act(frm, "retry"));
	if (frm.sync_dismisses) return;
	frm.sync_dismisses = frm.page.add_menu_item(__("Dismiss what failed"), () => {
		frappe.confirm(__("Dismiss all failed records of this run?"), () => act(frm, "dismiss"));
	});
}

// Why nothing moves, where that is so.
async function tell_pause(frm) {
	frm.dashboard.clear_headline();
	if (!OPEN.includes(frm.doc.status)) return;
	const fields = ["status", "paused_until", "paused_reason"];
	// A bare name such as 12e4567890 would be read as a number.
	const { message } = await frappe.db.get_value("Sync Connection", { name: frm.doc.connection }, fields);
	if (message?.status === "Paused") hisabi_sync.runs.tell_pause(frm, message);
}

function cancel(frm) {
	frappe.confirm(__("Cancel this run? Records that are being processed are completed."), async () => {
		if (await hisabi_sync.runs.call("cancel", { run: frm.doc.name })) frm.reload_doc();
	});
}

async function act(frm, method) {
	if (await hisabi_sync.runs.act(method, { run: frm.doc.name })) frm.reload_doc();
}
