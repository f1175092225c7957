/** A member of something that came as JSON; `undefined` if there is none. */
export function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

/** A member as text: empty if there is none. */
export function textMemberOf(value: unknown, key: string): string {
  const member = memberOf(value, key);
  return typeof member === 'string' || typeof member === 'number' ? String(member) : '';
}

/** A member that is a list: empty if there is none. */
export function listMemberOf(value: unknown, key: string): readonly unknown[] {
  const member = memberOf(value, key);
  return Array.isArray(member) ? member : [];
}
