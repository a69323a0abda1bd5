// Builds the bundles of one app: node build.mjs '{"app": ..., "trees": {...}, "out": ..., "manifest": ...}'.
// Writes APP/dist/{js,css,css-rtl} below `out`, and what was built from what into the file `manifest`.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { folder, load } from "./packages.mjs";
import { styles, stylist } from "./styles.mjs";
import { templates } from "./templates.mjs";
import { STYLE, vue } from "./vue.mjs";

const { app, trees, out, manifest, maps = false, tolerant = false } = JSON.parse(process.argv[2]);
const esbuild = load("esbuild");

const SCRIPT = /\.bundle\.(js|ts|jsx|tsx)$/;
const SHEET = /\.bundle\.(css|scss|sass)$/;
// Without these there is no Desk; another bundle that fails may be missing from a Frappe of a later date.
const REQUIRED = /^(desk|login|website|libs|controls|form|list|report|dialog|frappe-web|bootstrap-4-web)\.bundle/;

const places = [folder, ...Object.values(trees)];
const read = new Set();
const compile = stylist(places, read);
const COMMON = {
	bundle: true,
	minifySyntax: true,
	minifyWhitespace: true,
	metafile: true,
	write: false,
	logLevel: "silent",
	absWorkingDir: "/",
	outdir: "/",
	entryNames: "[name]",
	target: ["es2017"],
	nodePaths: places,
	external: ["/assets/*"],
};
const KINDS = {
	js: {
		entries: SCRIPT,
		options: {
			...COMMON,
			plugins: [templates, vue],
			sourcemap: maps && "inline",
			define: {
				"process.env.NODE_ENV": '"production"',
				__VUE_OPTIONS_API__: "true",
				__VUE_PROD_DEVTOOLS__: "false",
				__VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
			},
		},
	},
	css: { entries: SHEET, options: { ...COMMON, plugins: [styles(compile, false)] } },
	"css-rtl": { entries: SHEET, options: { ...COMMON, plugins: [styles(compile, true)] } },
};

function bundles(pattern) {
	const home = join(trees[app], app, "public");
	return readdirSync(home, { recursive: true })
		.filter((path) => pattern.test(path) && !/(^|\/)(node_modules|dist)\//.test(path))
		.map((path) => join(home, path))
		.sort();
}

/** Builds all at once; when that fails and some may fail, one by one. */
async function build(entries, options, skipped) {
	try {
		return entries.length ? [await esbuild.build({ ...options, entryPoints: entries })] : [];
	} catch (error) {
		if (!tolerant) throw error;
		if (entries.length === 1) {
			if (REQUIRED.test(basename(entries[0]))) throw error;
			skipped[basename(entries[0])] = describe(error)[0];
			return [];
		}
	}
	const results = [];
	for (const entry of entries) results.push(...(await build([entry], options, skipped)));
	return results;
}

/** Each entry's name, content and the style sheet of its Vue components. */
function products({ metafile, outputFiles }) {
	const texts = new Map(outputFiles.map((file) => [file.path, file.text]));
	for (const path of Object.keys(metafile.inputs)) remember(path);
	return Object.entries(metafile.outputs)
		.filter(([, output]) => output.entryPoint)
		.map(([path, output]) => {
			const name = basename(output.entryPoint);
			const text = texts.get(`/${path}`);
			return { name, text: componentStyle(metafile, texts, output.cssBundle) + text };
		});
}

/** Style sheets that a script imports count only if they come with Vue components, as in Frappe's build. */
function componentStyle(metafile, texts, sheet) {
	if (!sheet || !Object.keys(metafile.outputs[sheet].inputs).some((path) => path.startsWith(`${STYLE}:`))) return "";
	// No line of its own, which would shift those of the source map.
	return `frappe.dom.set_style(${JSON.stringify(texts.get(`/${sheet}`))});`;
}

function remember(path) {
	const file = resolve("/", path.replace(/^[a-z-]+:/, "").replace(/\?.*$/, ""));
	read.add(file);
}

function write(kind, { name, text }) {
	const extension = kind === "js" ? ".js" : ".css";
	const hash = createHash("sha256").update(text).digest("hex").slice(0, 8).toUpperCase();
	const path = join(app, "dist", kind, `${basename(name, extname(name))}.${hash}${extension}`);
	mkdirSync(dirname(join(out, path)), { recursive: true });
	writeFileSync(join(out, path), text);
	return [`${basename(name, extname(name))}${extension}`, `/assets/${path}`];
}

function describe(error) {
	const messages = error.errors?.map(({ location, text }) => {
		const place = location ? `${relative(trees[app], resolve("/", location.file))}:${location.line}: ` : "";
		return `${place}${text}`.split("\n")[0];
	});
	return messages ?? [error.stack];
}

async function main() {
	const built = {};
	const skipped = {};
	for (const [kind, { entries, options }] of Object.entries(KINDS)) {
		const results = await build(bundles(entries), options, skipped);
		built[kind] = results.flatMap(products).map((product) => write(kind, product));
	}
	const own = [...read].filter((path) => !path.startsWith(folder + sep)).sort();
	const rtl = built["css-rtl"].map(([name, path]) => [`rtl_${name}`, path]);
	const facts = {
		assets: Object.fromEntries([...built.js, ...built.css]),
		rtl: Object.fromEntries(rtl),
		inputs: own,
		skipped,
	};
	writeFileSync(manifest, JSON.stringify(facts, null, 1));
}

main().catch((error) => {
	for (const line of describe(error)) console.error(`ERROR ${line}`);
	process.exit(1);
});
