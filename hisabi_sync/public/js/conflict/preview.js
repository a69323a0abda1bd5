import { escape } from "./api";
import { resultValue } from "./table";
import { same, show } from "./values";

/** The whole record as it would be; `answer` is what the server said to a dry run. */
export function preview(view, state, answer) {
	if (answer.is_deleted) return box(`<p>${__("The record would be deleted.")}</p>`, answer);
	const rows = view.rows.map((row) => line(row, view, state, answer.server_record)).join("");
	return box(`<dl class="hs-record">${rows}</dl>`, answer);
}

function box(inner, answer) {
	const title = answer.doc_version ? __("The record as version {0}", [escape(answer.doc_version)]) : __("The record");
	return `<section class="hs-preview"><h3>${title}</h3>${inner}</section>`;
}

function line(row, view, state, record) {
	const value = row.fieldtype === "Link" || row.writable ? resultValue(row, view, state.choices[row.name]) : record[row.name];
	const changed = same(value, row.current) ? "" : "hs-new";
	return `<div class="${changed}"><dt>${escape(__(row.label))}</dt><dd>${show(row, value, view)}</dd></div>`;
}
