frappe.pages["see-as"].on_page_load = async (wrapper) => {
	const page = frappe.ui.make_app_page({ parent: wrapper, title: __("See as"), single_column: true });
	await frappe.require(["conflict_centre.bundle.js", "see_as.bundle.js", "see_as.bundle.css"]);
	wrapper.see_as = new hisabi_sync.SeeAs(page);
	wrapper.see_as.take_route();
};

frappe.pages["see-as"].on_page_show = (wrapper) => wrapper.see_as?.take_route();
