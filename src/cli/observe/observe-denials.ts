import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { DenialFact, Seen } from '../../diagnosis/facts.ts';
import { errnoOf, messageOf } from '../../system/error-text.ts';
import type { NodeFiles } from './node-files.ts';

const AUDIT_LOG = '/var/log/audit/audit.log';
const MAX_READ_BYTES = 512 * 1024;

/** Reads what SELinux has denied podwire, as far as the end of the audit log says. */
export function observeDenials(files: NodeFiles): Seen<readonly DenialFact[]> {
  try {
    return { kind: 'seen', value: parseDenials(readEnd(files.at(AUDIT_LOG))) };
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    // A node without SELinux has no such log.
    if (errnoOf(error) === 'ENOENT' && files.root === '/') return { kind: 'seen', value: [] };
    const why = errnoOf(error) === 'ENOENT' ? `${AUDIT_LOG} cannot be seen from here` : messageOf(error);
    return { kind: 'unseen', why };
  }
}

function readEnd(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(Math.min(size, MAX_READ_BYTES));
    readSync(fd, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('latin1');
  } finally {
    closeSync(fd);
  }
}

/**
 * The denials in an audit log that concern podwire. An event has several lines with the same identifier: AVC says what was
 * denied, and SYSCALL which executable did it. A denied execution is an event of the program that tried it.
 *
 * @see ausearch(8)
 */
export function parseDenials(log: string): readonly DenialFact[] {
  const lines = log.split('\n').flatMap((text) => {
    const [, type, seconds, serial] = /^type=(\w+) msg=audit\((\d+\.\d+):(\d+)\)/.exec(text) ?? [];
    return type === undefined ? [] : [{ type, id: `${seconds}:${serial}`, atMs: Number(seconds) * 1000, text }];
  });
  const own = new Set(
    lines.filter(({ type, text }) => type === 'SYSCALL' && /\bexe="[^"]*\/podwire"/.test(text)).map(({ id }) => id),
  );
  return lines.flatMap(({ type, id, atMs, text }): readonly DenialFact[] => {
    const [, what] = /\bdenied {2}\{ ([^}]*) \}/.exec(text) ?? [];
    const isMeant = own.has(id) || /\b(comm|name|path)="([^"]*\/)?podwire"/.test(text);
    if (type !== 'AVC' || what === undefined || !isMeant || text.includes('permissive=1')) return [];
    const value = (key: string) => new RegExp(String.raw`\b${key}="?([^" ]+)`).exec(text)?.[1];
    return [
      { atMs, what, object: value('path') ?? value('name') ?? value('tclass') ?? '', label: value('tcontext') ?? '' },
    ];
  });
}
