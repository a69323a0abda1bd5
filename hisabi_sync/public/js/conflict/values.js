import { escape } from "./api";
import { textDiff, treeDiff } from "./diff";

const LONG = new Set("Small Text,Text,Long Text,Text Editor,Code,HTML Editor,Markdown Editor,Geolocation".split(","));
const TREES = new Set(["JSON", "Table", "Table MultiSelect"]);
const EMPTY = '<span class="hs-empty">—</span>';

const isEmpty = (value) => value === undefined || value === null || value === "";

const PLAIN = {
	Check: (value) => (Number(value) ? __("Yes") : __("No")),
	Currency: (value, row, view) => format_currency(value, currencyOf(row, view)),
	Float: (value) => format_number(value, null, null),
	Percent: (value) => `${format_number(value, null, null)} %`,
	Int: (value) => format_number(value, null, 0),
	Date: (value) => frappe.datetime.str_to_user(value),
	Datetime: (value) => frappe.datetime.str_to_user(frappe.datetime.convert_to_user_tz(value)),
	Time: (value) => frappe.datetime.str_to_user(value, true),
	Select: (value) => __(value),
};

/** Safe markup of a value by its type; `before` turns long texts and trees into a diff. */
export function show(row, value, view, before) {
	if (isEmpty(value) && isEmpty(before)) return EMPTY;
	if (TREES.has(row.fieldtype)) return treeDiff(before === undefined ? value : parsed(before), parsed(value)) || EMPTY;
	if (LONG.has(row.fieldtype)) return before === undefined ? plain(readable(row, value)) : changed(row, before, value);
	if (isEmpty(value)) return EMPTY;
	if (row.fieldtype === "Link") return link(row.options, value, view);
	const format = PLAIN[row.fieldtype];
	return plain(format ? format(value, row, view) : value);
}

export const isLong = (row) => LONG.has(row.fieldtype) || TREES.has(row.fieldtype);

export const isTree = (row) => TREES.has(row.fieldtype);

export function same(left, right) {
	return JSON.stringify(left ?? null) === JSON.stringify(right ?? null);
}

/** A text in its own direction. */
const plain = (text) => `<bdi>${escape(text)}</bdi>`;

function changed(row, before, value) {
	return textDiff(readable(row, before), readable(row, value)) || EMPTY;
}

/** Formatted texts without their markup; nothing of it is ever parsed by the page itself. */
function readable(row, value) {
	if (row.fieldtype !== "Text Editor" || isEmpty(value)) return value ?? "";
	const page = new DOMParser().parseFromString(String(value).replace(/<\/(p|div|li|h\d)>|<br\s*\/?>/gi, "$&\n"), "text/html");
	return page.body.textContent.trim();
}

function parsed(value) {
	if (typeof value !== "string") return value ?? undefined;
	try {
		return JSON.parse(value);
	} catch {
		return value;
	}
}

function link(doctype, name, view) {
	const title = view.titles[doctype]?.[name] || name;
	const path = `/app/${encodeURIComponent(frappe.router.slug(doctype))}/${encodeURIComponent(name)}`;
	return `<a href="${path}" tabindex="-1"><bdi>${escape(title)}</bdi></a>`;
}

/** The currency that stands beside an amount in the same record. */
function currencyOf(row, view) {
	const beside = view.rows.find((other) => other.name === row.options);
	return beside ? beside.current || beside.client || beside.server : undefined;
}
