// The npm packages lie below .dev/, outside of this folder's reach for `import`.
import { createRequire } from "node:module";
import { join } from "node:path";

export const folder = join(process.env.HISABI_NODE_PACKAGES, "node_modules");
export const load = createRequire(join(folder, "index.js"));
