// node run.js node|browser WASM_EXEC.JS PROGRAM.WASM ARGUMENTS...
//
// Runs a program of GOOS=js as a browser does: net/http does not use fetch if it finds node's process. As "browser", fetch also
// hides redirects (https://fetch.spec.whatwg.org/#concept-filtered-response-opaque-redirect), which node shows.
"use strict";

const [kind, wasmExec, program, ...args] = process.argv.slice(2);
const exit = process.exit;

if (kind === "browser") {
	const fetch = globalThis.fetch;
	globalThis.fetch = async (url, options) => {
		const response = await fetch(url, options);
		if (options.redirect !== "manual" || ![301, 302, 303, 307, 308].includes(response.status)) {
			return response;
		}
		await response.body?.cancel();
		const hidden = { type: "opaqueredirect", status: 0, headers: new Headers(), body: null, redirected: false, url };
		return { ...hidden, arrayBuffer: async () => new ArrayBuffer(0) };
	};
}

const fs = require("fs");
globalThis.fs = fs;
globalThis.path = require("path");
globalThis.process = undefined;
require(wasmExec);

const go = new Go();
go.argv = [program, ...args];
go.exit = exit;
WebAssembly.instantiate(fs.readFileSync(program), go.importObject).then(({ instance }) => go.run(instance));
