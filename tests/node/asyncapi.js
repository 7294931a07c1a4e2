// Reads an AsyncAPI document from stdin and prints what @asyncapi/parser finds wrong with it, as JSON.
import { Parser } from "@asyncapi/parser";

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { document, diagnostics } = await new Parser().parse(text);
const found = diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path: path.join(".") }));
console.log(JSON.stringify({ parsed: Boolean(document), operations: document?.operations().length ?? 0, found }));
