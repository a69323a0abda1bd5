import { diffWordsWithSpace } from "diff";
import { escape } from "./api";

const LONGEST = 2000; // edits after which a text counts as another one, so that a page never waits for a comparison

/** Markup of `after` as an edit of `before`, word by word. */
export function textDiff(before, after) {
	const [old, now] = [String(before ?? ""), String(after ?? "")];
	if (!old && !now) return "";
	const parts = diffWordsWithSpace(old, now, { maxEditLength: LONGEST });
	if (!parts) return mark("del", old) + mark("ins", now);
	return `<bdi>${parts.map((part) => mark(part.removed ? "del" : part.added ? "ins" : "", part.value)).join("")}</bdi>`;
}

function mark(tag, text) {
	if (!text) return "";
	return tag ? `<${tag}>${escape(text)}</${tag}>` : escape(text);
}

/** Markup of a tree with what `after` changed against `before`; without `before` the tree alone. */
export function treeDiff(before, after) {
	const lines = compare(before, after, []);
	return lines.length ? `<dl class="hs-tree">${lines.join("")}</dl>` : "";
}

const isTree = (value) => value !== null && typeof value === "object";
const text = (value) => (value === undefined ? "" : escape(typeof value === "string" ? value : JSON.stringify(value)));

function compare(before, after, path) {
	if (isTree(before) || isTree(after)) return inside(before, after, path);
	const same = before === after;
	const old = same || before === undefined ? "" : `<del>${text(before)}</del> `;
	const now = after === undefined ? "" : same ? text(after) : `<ins>${text(after)}</ins>`;
	return [`<div class="${same ? "hs-same" : "hs-changed"}"><dt><bdi>${escape(path.join(" › "))}</bdi></dt><dd><bdi>${old}${now}</bdi></dd></div>`];
}

function inside(before, after, path) {
	const [old, now] = [entries(before), entries(after)];
	const keys = [...new Set([...Object.keys(now), ...Object.keys(old)])].filter((key) => key !== ".name");
	return keys.flatMap((key) => compare(old[key]?.value, now[key]?.value, [...path, (now[key] || old[key]).label]));
}

/** Rows are the same when their names are; other lists go by position. */
function entries(value) {
	if (!isTree(value)) return value === undefined || value === null ? {} : { "": { label: "", value } };
	const pairs = Array.isArray(value)
		? value.map((part, i) => [(isTree(part) && part.name) || `#${i}`, { label: i + 1, value: part }])
		: Object.entries(value).map(([key, part]) => [`.${key}`, { label: key, value: part }]);
	return Object.fromEntries(pairs);
}
