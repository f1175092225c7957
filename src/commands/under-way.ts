/**
 * Begins work that is awaited later. Should this command fail before it does, the failure of that work is nobody's any more.
 */
export function underWay<Value>(work: Promise<Value>): Promise<Value> {
  work.catch(() => undefined);
  return work;
}
