import { escape } from "./api";

const WORDS = /\s+|[^\s]+/g;
const LONGEST = 1200; // words of both sides for which a table of pairs is small enough

const words = (text) => String(text ?? "").match(WORDS) || [];

/** Markup of `after` as an edit of `before`, word by word. */
export function textDiff(before, after) {
	const [old, now] = [words(before), words(after)];
	if (!old.length && !now.length) return "";
	if (old.length + now.length > LONGEST) return mark("del", old) + mark("ins", now);
	return `<bdi>${steps(old, now).map(([tag, part]) => mark(tag, part)).join("")}</bdi>`;
}

function mark(tag, part) {
	if (!part.length) return "";
	const text = escape(part.join(""));
	return tag ? `<${tag}>${text}</${tag}>` : text;
}

/** [["del" | "ins" | "", words]]: what leads from one list to the other. */
function steps(old, now) {
	const length = lengths(old, now);
	const found = [];
	let [i, j] = [0, 0];
	while (i < old.length || j < now.length) {
		if (old[i] === now[j] && i < old.length) put(found, "", old[i++], j++);
		else if (j >= now.length || (i < old.length && length[i + 1][j] >= length[i][j + 1])) put(found, "del", old[i++]);
		else put(found, "ins", now[j++]);
	}
	return found;
}

function put(found, tag, word) {
	const last = found[found.length - 1];
	if (last && last[0] === tag) last[1].push(word);
	else found.push([tag, [word]]);
}

/** length[i][j]: how many words are common to the rests of both lists. */
function lengths(old, now) {
	const length = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
	for (let i = old.length - 1; i >= 0; i--) {
		for (let j = now.length - 1; j >= 0; j--) {
			length[i][j] = old[i] === now[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
		}
	}
	return length;
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
