frappe.ui.form.on("Sync Device", {
	refresh(frm) {
		frm.disable_save();
		show_budget(frm);
		const may = frappe.user.has_role("Sync Manager") || frm.doc.user === frappe.session.user;
		if (frappe.user.has_role("Sync Manager")) {
			frm.page.add_menu_item(__("See as"), () => frappe.set_route("see-as", { device: frm.doc.name }));
		}
		if (frm.doc.status === "Active" && may) frm.page.add_menu_item(__("Revoke"), () => revoke(frm));
	},
});

function revoke(frm) {
	const name = frappe.utils.escape_html(frm.doc.device_name || frm.doc.device_id);
	const words = __("{0} can no longer push or pull. Its owner has to sign in again.", [`<strong>${name}</strong>`]);
	frappe.warn(__("Revoke this device?"), words, () => send(frm), __("Revoke"));
}

async function send(frm) {
	await frappe.require(["conflict_centre.bundle.js", "conflict_centre.bundle.css"]);
	const answer = await hisabi_sync.call("desk_devices.revoke", { device: frm.doc.name });
	answer.ok ? await frm.reload_doc() : hisabi_sync.refuse(answer, __("Revoke"));
}

/** What is used of which budget, by this device and by all devices of its user. Numbers and labels of our own only. */
function show_budget(frm) {
	const $table = $("<table class='table table-bordered small'>");
	const heads = [__("Budget"), __("This device"), __("All devices of the user")];
	$("<tr>").append(heads.map((text) => $("<th>").text(text))).appendTo($("<thead>").appendTo($table));
	const $body = $("<tbody>").appendTo($table);
	for (const row of (frm.doc.__onload || {}).budget || []) {
		const cells = [__(row.label), used(row.used, row.limit, row.unit), used(row.of_user, row.of_user_limit, row.unit)];
		const spent = row.of_user >= row.of_user_limit || (row.limit && row.used >= row.limit);
		$("<tr>").toggleClass("text-danger", spent).append(cells.map((text) => $("<td>").text(text))).appendTo($body);
	}
	frm.fields_dict.budget.$wrapper.empty().append($table);
}

function used(count, limit, unit) {
	if (limit === null) return "";
	return count === null ? __("not known") : __("{0} of {1}", [Math.ceil(count / unit), limit / unit]);
}
