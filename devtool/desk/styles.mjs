// Style sheets: Sass, then prefixes, and mirrored once more for languages written from right to left.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { load } from "./packages.mjs";

/** Compiles each file once, whatever number of builds asks for it; `read` collects what was read. */
export function stylist(places, read) {
	const compiled = new Map();
	const importers = places.map((place) => ({
		findFileUrl: (url) => pathToFileURL(join(place, bare(url))),
	}));

	return (path) => {
		if (!compiled.has(path)) compiled.set(path, path.endsWith(".css") ? readFileSync(path, "utf8") : sass(path));
		return compiled.get(path);
	};

	function sass(path) {
		const options = { importers, loadPaths: places, quietDeps: true, charset: false };
		const { css, loadedUrls } = load("sass").compile(path, options);
		for (const url of loadedUrls) read.add(fileURLToPath(url));
		return css;
	}
}

function bare(url) {
	return url.replace(/^~/, "").replace(/\.css$/, "");
}

/** The esbuild plugin; `mirrored` turns left and right around. */
export function styles(compile, mirrored) {
	const steps = [...(mirrored ? [load("rtlcss")] : []), load("autoprefixer")];
	const processor = load("postcss")(steps);
	return {
		name: "styles",
		setup(build) {
			build.onResolve({ filter: /^~/ }, ({ path, ...rest }) => build.resolve(bare(path), rest));
			build.onLoad({ filter: /\.(scss|sass)$|\.bundle\.css$/ }, async ({ path }) => {
				const { css } = await processor.process(compile(path), { from: path });
				return { contents: css, loader: "css", resolveDir: dirname(path) };
			});
		},
	};
}
