import { escape } from "./api";
import { isLong, same, show } from "./values";

/** A device that asks for an action has no side of its own, and its conflict no value to keep. */
const sidesOf = (view) => (view.action ? ["base", "server"] : ["base", "server", "client"]);

/** A settled conflict keeps what people saw when they settled it. */
const isShownNow = (view) => view.has_moved_on && view.status === "Open";

/** The rows to show: those that people have to look at, or all of them. */
export function rowsOf(view, all) {
	return view.rows.filter((row) => row.asked || all);
}

/** Markup of the three-way table. `state` has `choices`, `all` and `readOnly`. */
export function table(view, state) {
	const rows = rowsOf(view, state.all);
	return `<table class="hs-table" role="grid">
		<colgroup><col class="hs-col-field"><col><col>${view.action ? "" : '<col><col class="hs-col-result">'}</colgroup>
		<thead><tr>
			<th scope="col">${__("Field")}</th>
			<th scope="col">${__("Before")}${version(view.base_version)}</th>
			${sideHead(view, state, "server", isShownNow(view) ? __("Server, now") : __("Server"))}
			${view.action ? "" : ownHeads(view, state)}
		</tr></thead>
		<tbody>${rows.map((row) => line(row, view, state)).join("")}</tbody>
	</table>`;
}

const ownHeads = (view, state) =>
	`${sideHead(view, state, "client", __("Device"))}<th scope="col">${state.readOnly ? __("Outcome") : __("Keep")}</th>`;

const version = (number) => (number ? ` <small>v${escape(number)}</small>` : "");

function sideHead(view, state, side, label) {
	const number = side === "server" ? (isShownNow(view) ? view.current.doc_version : view.server_version) : 0;
	const button = state.readOnly
		? ""
		: `<button type="button" class="hs-all" data-all="${side}">${__("Keep all")}</button>`;
	return `<th scope="col"><div class="hs-head"><span>${label}${version(number)}</span>${button}</div></th>`;
}

function line(row, view, state) {
	const chosen = state.choices[row.name];
	const open = row.asked && !chosen && !state.readOnly;
	const cells = sidesOf(view).map((side) => cell(row, side, view, state, chosen)).join("");
	return `<tr data-field="${escape(row.name)}" class="${open ? "hs-open" : ""} ${row.asked ? "" : "hs-quiet"}">
		<th scope="row">${escape(__(row.label))}${open ? `<span class="hs-dot" title="${__("To be decided")}"></span>` : ""}</th>
		${cells}${view.action ? "" : `<td class="hs-result">${result(row, view, state, chosen)}</td>`}</tr>`;
}

/** What a side holds. The server's side of a record that moved on is what it holds now. */
export function sideValue(row, side, view) {
	if (!row.asked) return row.current;
	return side === "server" && isShownNow(view) ? row.current : row[side];
}

function cell(row, side, view, state, chosen) {
	if (view.kind === "delete" && side === "client" && row.asked) return deleted(row, state, chosen);
	const value = sideValue(row, side, view);
	if (row.asked && side === "base" && !("base" in row)) return `<td class="hs-unknown">${__("unknown")}</td>`;
	const before = side !== "base" && isLong(row) && row.asked ? row.base ?? null : undefined;
	const inner = `<div class="hs-value">${show(row, value, view, before)}</div>`;
	if (!row.asked || side === "base") return `<td>${inner}</td>`;
	const touched = "base" in row && !same(value, row.base) ? "hs-touched" : "";
	if (choosable(row, state)) return pick(row, side, inner, chosen, touched);
	const taken = "resolved" in row && same(value, row.resolved) ? "hs-chosen" : "";
	return `<td class="${touched} ${taken}">${inner}</td>`;
}

const gone = () => `<div class="hs-value"><span class="hs-deleted">${__("deleted")}</span></div>`;

function deleted(row, state, chosen) {
	const inner = gone();
	if (choosable(row, state)) return pick(row, "client", inner, chosen, "");
	return `<td class="${chosen?.side === "client" ? "hs-chosen" : ""}">${inner}</td>`;
}

const choosable = (row, state) => !state.readOnly && row.writable;

function pick(row, side, inner, chosen, touched) {
	const on = chosen?.side === side;
	return `<td class="hs-pick ${touched} ${on ? "hs-chosen" : ""}" tabindex="0" role="radio" aria-checked="${on}"
		data-side="${side}"><div class="hs-choice"><span class="hs-radio"></span>${inner}</div></td>`;
}

function result(row, view, state, chosen) {
	const pencil = choosable(row, state)
		? `<button type="button" class="hs-type" title="${__("Type a value")}" aria-label="${__("Type a value")}">
			${frappe.utils.icon("edit", "xs")}</button>`
		: "";
	if (state.readOnly) return `<div class="hs-value">${show(row, outcomeOf(row, view), view)}</div>`;
	if (row.asked && !chosen) return `<div class="hs-choice"><span class="hs-todo">${__("choose")}</span>${pencil}</div>`;
	const isGone = view.kind === "delete" && chosen?.side === "client";
	const value = isGone ? gone() : `<div class="hs-value">${show(row, resultValue(row, view, chosen), view)}</div>`;
	return `<div class="hs-choice">${value}${pencil}</div>`;
}

/** What a settled conflict ended in; an open one has no outcome yet. */
function outcomeOf(row, view) {
	if (row.asked && view.status === "Open") return null;
	return "resolved" in row ? row.resolved : row.current;
}

/** The value that the record would hold. */
export function resultValue(row, view, chosen) {
	if (!chosen) return row.current;
	if ("value" in chosen) return chosen.value;
	return chosen.side === "client" && "with_client" in row ? row.with_client : sideValue(row, chosen.side, view);
}
