/** Starts work that is awaited later. If the command fails before that, the failure of the work is deliberately ignored. */
export function inBackground<Value>(work: Promise<Value>): Promise<Value> {
  work.catch(() => undefined);
  return work;
}
