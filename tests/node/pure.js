// The tests of the client library, which also run in a browser: tests/browser/lib/client.test.js.
import { tests } from "../browser/lib/client.test.js";

for (const [name, run] of Object.entries(tests)) {
  await run();
  console.log(name);
}
