// Passes requests on to the web server and its answers back, as nginx does in production.
import http from "node:http";
import { pipeline } from "node:stream";

const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"]);

// Streams of live events have a process of their own.
const STREAMS = /^\/(api\/offline\/v1\/events|rxdb\/v1\/[^?]+\/pullStream)(\?|$)/;

/** Passes requests on to `backend`, and streams to `live`; where that does not run, the web server answers them. */
export function proxy(backend, live) {
	return (request, response) => {
		const isStream = live && request.method === "GET" && STREAMS.test(request.url);
		const instead = isStream ? () => pass(backend, request, response, () => unreachable(response)) : undefined;
		pass(isStream ? live : backend, request, response, instead ?? (() => unreachable(response)));
	};
}

function pass(to, request, response, failed) {
	const { hostname, port } = new URL(to);
	const { method, url: path } = request;
	// A connection of its own: one that is kept might be closed by the web server just when it is used again.
	const options = { hostname, port, method, path, headers: passedOn(request), agent: false };
	const outgoing = http.request(options, (answer) => {
		response.writeHead(answer.statusCode, answer.statusMessage, endToEnd(answer.rawHeaders).flat());
		pipeline(answer, response, () => {});
	});
	outgoing.on("error", failed);
	response.on("close", () => outgoing.destroy());
	request.pipe(outgoing);
}

function passedOn(request) {
	const known = request.headers["x-forwarded-for"];
	const from = request.socket.remoteAddress;
	const headers = { "X-Forwarded-For": known ? `${known}, ${from}` : from };
	for (const [name, value] of endToEnd(request.rawHeaders)) {
		if (name.toLowerCase() === "x-forwarded-for") continue;
		headers[name] = name in headers ? [headers[name], value].flat() : value;
	}
	return headers;
}

function endToEnd(raw) {
	const pairs = [];
	for (let i = 0; i < raw.length; i += 2) {
		if (!HOP_BY_HOP.has(raw[i].toLowerCase())) pairs.push([raw[i], raw[i + 1]]);
	}
	return pairs;
}

function unreachable(response) {
	if (response.headersSent) return response.destroy();
	response.writeHead(502, { "Content-Type": "text/plain" });
	response.end("The web server does not answer.\n");
}
