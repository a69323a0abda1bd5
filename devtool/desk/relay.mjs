// What listens on the site's port: live events for the Desk; everything else goes on to the web server.
import http from "node:http";
import { parseArgs } from "node:util";
import { live } from "./live.mjs";
import { proxy } from "./proxy.mjs";

const text = { type: "string" };
const given = ["port", "backend", "live", "site", "redis"].map((name) => [name, text]);
const options = { host: { ...text, default: "127.0.0.1" }, ...Object.fromEntries(given) };
const { host, port, ...facts } = parseArgs({ options }).values;

const server = http.createServer(proxy(facts.backend, facts.live));
// Longer than clients keep an idle connection, so that none is closed just when it is used again.
server.keepAliveTimeout = 75_000;
await live(server, facts);
server.listen(Number(port), host, () => console.log(`Listening on ${host}:${server.address().port}`));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
