// What does not depend on how podwire was started. node:process exports the same, but importing it loads one more module of Node.

/** Loads a module of Node at this moment, synchronously, so that commands that do not need it do not pay for it. */
export const loadBuiltin: typeof process.getBuiltinModule = (id: string) => process.getBuiltinModule(id);

/** Seconds since the process started. */
export const processUptimeSeconds = (): number => process.uptime();

/** Seconds, and nanoseconds beyond them, on a clock that changes of the wall clock do not affect. */
export const monotonicTime = (): readonly [seconds: number, nanoseconds: number] => process.hrtime();
