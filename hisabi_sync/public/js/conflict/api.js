const METHODS = "/api/method/hisabi_sync.api.";

/** `{ok, status, body}` of an endpoint; `body` is the answer's message or, when refused, its error. */
export async function call(method, values) {
	const response = await fetch(METHODS + method, {
		method: "POST",
		headers: {
			"Content-Type": "application/json",
			Accept: "application/json",
			"X-Frappe-CSRF-Token": frappe.csrf_token,
		},
		body: JSON.stringify(values),
	});
	const body = await response.json().catch(() => ({ message: response.statusText }));
	return { ok: response.ok, status: response.status, body: response.ok ? body.message : body };
}

/** Says why the server refused. */
export function refuse(answer, title) {
	frappe.msgprint({
		title: title || __("Not applied"),
		message: escape(answer.body.message || answer.body.error_code || ""),
		indicator: "orange",
	});
}

export const escape = (value) => frappe.utils.escape_html(String(value ?? ""));
