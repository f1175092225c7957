/** Returns a member of parsed JSON; `undefined` if it is absent. */
export function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

/** Returns a member as text; `''` if it is neither a string nor a number. */
export function textMemberOf(value: unknown, key: string): string {
  const member = memberOf(value, key);
  return typeof member === 'string' || typeof member === 'number' ? String(member) : '';
}

/** Returns a member that is a list; `[]` if it is absent. */
export function listMemberOf(value: unknown, key: string): readonly unknown[] {
  const member = memberOf(value, key);
  return Array.isArray(member) ? member : [];
}
