frappe.ui.form.on("Hisabi Wallet Invite", {
	refresh(frm) {
		// Invites are made, used and revoked by apps.
		frm.disable_save();
	},
});
