import { call, escape, refuse } from "./api";

const MESSAGE = "hisabi_sync_bulk";

/** Run an action on many rows of a list and show the result of each; long ones tell how far they are. */
export async function run(list, method, values, title) {
	if (await runOn(list.doctype, method, values, title)) refreshList(list);
}

/** The same without a list; resolves with the outcome, or with nothing when it was refused. */
export async function runOn(doctype, method, values, title) {
	const answer = await call(method, values);
	if (!answer.ok) return refuse(answer, title);
	const outcome = answer.body.job ? await follow(answer.body, title) : answer.body;
	report(outcome, title, doctype);
	return outcome;
}

export function refreshList(list) {
	list.clear_checked_items();
	list.last_args = null; // Frappe skips a refresh that follows another one within three seconds
	list.refresh();
}

/** Resolves with the results of a job when it is finished. Events may get lost, so that it is asked as well. */
export function follow({ job, total }, title) {
	return new Promise((resolve) => {
		const draw = (state) => frappe.show_progress(title, state.done + state.failed, total, __("{0} of {1}", [state.done + state.failed, total]));
		const onMessage = (state) => state.job === job && (draw(state), state.finished && finish());
		const timer = setInterval(async () => {
			const { ok, body } = await call("conflicts.job", { job });
			if (ok) onMessage(body);
		}, 2000);
		const finish = async () => {
			clearInterval(timer);
			frappe.realtime.off(MESSAGE, onMessage);
			frappe.hide_progress();
			const { body } = await call("conflicts.job", { job });
			resolve(body);
		};
		draw({ done: 0, failed: 0 });
		frappe.realtime.on(MESSAGE, onMessage);
	});
}

export function report({ results, done, failed, interrupted }, title, doctype) {
	if (!failed && !interrupted) return frappe.show_alert({ message: __("{0} done", [done]), indicator: "green" }, 6);
	const rest = interrupted ? `<p class="hs-note hs-moved">${__("The job ended early. Rows that are not in this list are as they were; choose them again.")}</p>` : "";
	const rows = results.filter((result) => !result.done).map((result) => line(result, doctype));
	const dialog = new frappe.ui.Dialog({ title, size: "large" });
	dialog.$body.html(`<div class="hs-results">${rest}<p>${__("{0} done, {1} not", [done, failed])}</p>
		<table class="table table-sm"><tbody>${rows.join("")}</tbody></table></div>`);
	dialog.show();
}

function line(result, doctype) {
	const path = escape(frappe.utils.get_form_link(doctype, result.id));
	return `<tr><td><a href="${path}">${escape(result.id)}</a></td><td>${escape(result.message || result.error_code)}</td></tr>`;
}

/** Settle the checked conflicts of a list with one side. */
export function settleMany(list, resolution, title) {
	const conflicts = list.get_checked_items(true);
	const words = __("{0} conflicts", [conflicts.length]);
	frappe.confirm(`${escape(title)}: ${words}`, () => run(list, "conflicts.resolve_many", { conflicts, resolution }, title));
}

/** Dismiss the checked rows with one reason; `values` makes the call's arguments of names and reason. */
export function dismissMany(list, method, values) {
	const names = list.get_checked_items(true);
	const field = { fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 };
	const title = __("Dismiss");
	frappe.prompt(field, ({ reason }) => run(list, method, values(names, reason), title), title, title);
}
