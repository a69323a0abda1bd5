// Questions to the web server.
import http from "node:http";
import { json } from "node:stream/consumers";

/** The answer's JSON, or undefined when the server refuses. */
export async function ask(backend, path, headers) {
	const answer = await new Promise((resolve, reject) => {
		// A connection of its own, as in proxy.mjs.
		http.get(new URL(path, backend), { headers, agent: false }, resolve).on("error", reject);
	});
	if (answer.statusCode === 200) return json(answer);
	answer.resume();
}
