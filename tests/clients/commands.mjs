// How a test tells an app what to do: lines of JSON, {"do", ...}, each answered with a line, {"gives"} or {"fails"}.
import readline from "node:readline";

/** Does what the lines of the standard input say, one after the other, until there are no more. */
export async function obey(commands) {
	for await (const line of readline.createInterface({ input: process.stdin })) {
		const { do: name, ...given } = JSON.parse(line);
		try {
			say({ gives: await commands[name](given) });
		} catch (error) {
			say({ fails: `${error.stack || error}` });
		}
	}
	process.exit(0);
}

function say(answer) {
	process.stdout.write(`${JSON.stringify(answer)}\n`);
}
