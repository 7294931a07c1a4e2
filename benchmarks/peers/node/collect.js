// SIGUSR2 collects garbage, so that memory can be compared (node --expose-gc).
process.on("SIGUSR2", () => globalThis.gc());
