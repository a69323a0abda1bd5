frappe.provide("frappe.dashboards.chart_sources");

frappe.dashboards.chart_sources["Sync Activity"] = {
	method: "hisabi_sync.hisabi_sync.dashboard_chart_source.sync_activity.sync_activity.get",
	filters: [
		{ fieldname: "days", label: __("Days"), fieldtype: "Int", default: 30 },
		{ fieldname: "space", label: __("Space"), fieldtype: "Link", options: "Sync Space" },
	],
};
