// One app with TanStack DB and examples/tanstack-db.mjs. It reads commands as lines of JSON and answers each with a line.
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { hisabiCollection } from "../../examples/tanstack-db.mjs";
import { obey } from "../clients/commands.mjs";

const require = createRequire(pathToFileURL(path.join(process.env.HISABI_CLIENTS, "package.json")));
const { createCollection } = await import(pathToFileURL(require.resolve("@tanstack/db")));
const [url, site, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}`, "X-Frappe-Site-Name": site, "Content-Type": "application/json" };
let collection, pull;

async function call(address, options) {
	const answer = await fetch(url + address, { headers, ...options });
	const body = await answer.json();
	if (!answer.ok) throw new Error(`${answer.status} ${body.error_code}`);
	return body;
}

const commands = {
	async open({ name }) {
		const get = (address) => call(address, {});
		const post = (address, body) => call(address, { method: "POST", body: JSON.stringify(body) });
		const made = hisabiCollection({ id: name, base: `/rxdb/v1/site/${name}/0`, get, post });
		collection = createCollection(made.options);
		pull = made.pull;
		await collection.preload();
		return true;
	},
	async insert({ values }) {
		await collection.insert(values).isPersisted.promise;
		return true;
	},
	async patch({ id, values }) {
		await collection.update(id, (draft) => Object.assign(draft, values)).isPersisted.promise;
		return true;
	},
	async remove({ id }) {
		await collection.delete(id).isPersisted.promise;
		return true;
	},
	async sync() {
		await pull();
		return true;
	},
	async docs() {
		return [...collection.values()].map((one) => Object.fromEntries(Object.entries(one).filter(([name]) => !name.startsWith("$"))));
	},
};

await obey(commands);
