frappe.ui.form.on("Sync Media", {
	async refresh(frm) {
		frm.disable_save();
		await frappe.require(["media_preview.bundle.js", "media_preview.bundle.css"]);
		hisabi_sync.show_media(frm.fields_dict.preview.$wrapper, [frm.doc]);
	},
});
