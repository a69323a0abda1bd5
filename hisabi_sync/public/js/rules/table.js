import { escape } from "../conflict/api";

const sides = () => ({
	client: __("device"),
	server: __("server"),
	other: __("another value"),
	ask: __("a person decides"),
});

/** What a rule would have decided about past conflicts, as HTML. */
export function table(found, standing) {
	return `<p class="hs-rule-now">${__("Today: {0}", [standing])}</p>
		${tiles(found.summary)}
		<div class="hs-rule-frame">${found.rows.length ? rows(found.rows) : `<p>${__("There were no conflicts over this field")}</p>`}</div>
		<p class="hs-rule-note">${note(found)}</p>`;
}

function tiles(summary) {
	const shown = [
		[summary.total, __("conflicts over this field"), ""],
		[summary.settled, __("would have needed nobody"), summary.settled ? "good" : ""],
		[summary.same, __("people decided the same"), ""],
		[summary.different, __("people decided otherwise"), summary.different ? "bad" : ""],
	];
	const tile = ([value, label, tone]) => `<div class="${tone && `hs-rule-${tone}`}"><b>${value}</b><span>${label}</span></div>`;
	return `<div class="hs-rule-tiles">${shown.map(tile).join("")}</div>`;
}

function rows(list) {
	const heads = [__("When"), __("Device"), __("Server's value"), __("Device's value"), __("Was kept"), __("Would be kept")];
	return `<table><thead><tr>${heads.map((head) => `<th>${head}</th>`).join("")}</tr></thead>
		<tbody>${list.map(line).join("")}</tbody></table>`;
}

function line(row) {
	const differs = row.status === "Resolved" && row.would !== "ask" && row.was !== row.would;
	const when = `<a href="${frappe.utils.get_form_link("Sync Conflict", row.conflict)}">${escape(when_of(row.at))}</a>`;
	const was = row.status === "Open" ? __("still open") : sides()[row.was];
	const partly = !row.settles && row.would !== "ask" ? ` <small>${__("other fields are asked")}</small>` : "";
	const cells = [when, escape(row.device_title), value(row.server), value(row.client), was, sides()[row.would] + partly];
	return `<tr class="${differs ? "hs-rule-differs" : ""}">${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

const value = (text) => (text === "" || text === null ? `<span class="text-muted">–</span>` : escape(text));

/** A moment of the wire in the person's zone and format. */
function when_of(text) {
	return moment(text).format(`${frappe.datetime.get_user_date_fmt().toUpperCase()} HH:mm`);
}

function note(found) {
	const shown = found.rows.length < found.summary.total ? `${__("The newest {0} are listed.", [found.rows.length])} ` : "";
	return shown + __("Looked at: at most {0} conflicts of the last {1} days. Nothing of the past is changed.", [found.most, found.days]);
}
