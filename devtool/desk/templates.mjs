// An imported .html file becomes an entry of frappe.templates under its own name.
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";

export const templates = {
	name: "templates",
	setup(build) {
		build.onResolve({ filter: /\.html$/ }, (found) => ({
			path: join(found.resolveDir, found.path),
			namespace: "template",
		}));
		build.onLoad({ filter: /.*/, namespace: "template" }, async ({ path }) => {
			const name = JSON.stringify(basename(path).split(".")[0]);
			// A template literal, as in Frappe's build: its templates hold escapes that are meant to vanish.
			const text = (await readFile(path, "utf8")).replaceAll("`", "\\`");
			return { contents: `frappe.templates[${name}] = \`${text}\`;` };
		});
	},
};
