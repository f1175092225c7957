import { getBuiltinModule } from 'node:process';

/**
 * SHA-1 in 40 hexadecimal digits. node:crypto is loaded at the first call: DEL takes names from the record, and loading it takes longer
 * than most of what DEL does.
 */
export function sha1(text: string): string {
  return getBuiltinModule('node:crypto').hash('sha1', text);
}
