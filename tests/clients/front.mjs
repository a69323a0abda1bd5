// What stands in front of the web server and the process of live events, as the relay of `./dev` and nginx do.
import http from "node:http";
import { proxy } from "../../devtool/desk/proxy.mjs";

const [backend, live] = process.argv.slice(2);
const server = http.createServer(proxy(backend, live));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
