// Single-file components: script and template become one module, each style a module of its own.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { load } from "./packages.mjs";

export const STYLE = "vue-style";

function parse(compiler, source, filename) {
	const { descriptor, errors } = compiler.parse(source, { filename });
	if (errors.length) throw errors[0];
	const id = createHash("sha256").update(filename).digest("hex").slice(0, 8);
	return { descriptor, filename, id, scoped: descriptor.styles.some((style) => style.scoped) };
}

function script(compiler, { descriptor, filename, id, scoped }) {
	if (!descriptor.script && !descriptor.scriptSetup) return "const component = {};";
	const inlineTemplate = Boolean(descriptor.scriptSetup);
	const templateOptions = { scoped, compilerOptions: { scopeId: `data-v-${id}` } };
	const { content } = compiler.compileScript(descriptor, { id, filename, inlineTemplate, templateOptions });
	return compiler.rewriteDefault(content, "component", ["typescript"]);
}

function template(compiler, { descriptor, filename, id, scoped }) {
	if (!descriptor.template || descriptor.scriptSetup) return "";
	const { code, errors } = compiler.compileTemplate({
		source: descriptor.template.content,
		filename,
		id,
		scoped,
	});
	if (errors.length) throw errors[0];
	return `${code.replace("export function render", "function render")}\ncomponent.render = render;`;
}

function component(compiler, parsed) {
	const styles = parsed.descriptor.styles.map(
		(_, index) => `import ${JSON.stringify(`${parsed.filename}?style=${index}`)};`
	);
	const parts = [...styles, script(compiler, parsed), template(compiler, parsed)];
	if (parsed.scoped) parts.push(`component.__scopeId = "data-v-${parsed.id}";`);
	return [...parts, "export default component;"].join("\n");
}

function style(compiler, { descriptor, filename, id }, index) {
	const { content, scoped, lang } = descriptor.styles[index];
	const { code, errors } = compiler.compileStyle({
		source: content,
		filename,
		id: `data-v-${id}`,
		scoped,
		preprocessLang: lang,
		preprocessCustomRequire: load,
	});
	if (errors.length) throw errors[0];
	return code;
}

export const vue = {
	name: "vue",
	setup(build) {
		// Loaded with the first component: an app without one does not wait for the compiler.
		const read = async (path) => {
			const compiler = load("vue/compiler-sfc");
			return [compiler, parse(compiler, await readFile(path, "utf8"), path)];
		};
		build.onResolve({ filter: /\.vue\?style=\d+$/ }, ({ path }) => ({ path, namespace: STYLE }));
		build.onLoad({ filter: /\.vue$/ }, async ({ path }) => {
			const [compiler, parsed] = await read(path);
			const typed = (parsed.descriptor.scriptSetup ?? parsed.descriptor.script)?.lang === "ts";
			return { contents: component(compiler, parsed), loader: typed ? "ts" : "js" };
		});
		build.onLoad({ filter: /.*/, namespace: STYLE }, async ({ path }) => {
			const [file, index] = path.split("?style=");
			const [compiler, parsed] = await read(file);
			return { contents: style(compiler, parsed, index), loader: "css", resolveDir: dirname(resolve(file)) };
		});
	},
};
