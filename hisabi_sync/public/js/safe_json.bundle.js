// Frappe has no formatter for JSON fields and puts them on the page as they are; what devices send may hold markup.
frappe.form.formatters.JSON = frappe.form.formatters.JSON || frappe.form.formatters.Code;
