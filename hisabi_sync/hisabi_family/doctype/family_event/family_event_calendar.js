frappe.views.calendar["Family Event"] = {
	field_map: { id: "name", start: "starts_at", end: "ends_at", title: "title", allDay: "all_day" },
	get_events_method: "frappe.desk.calendar.get_events",
	filters: [["Family Event", "is_deleted", "=", 0]],
};
