import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { endOfOperations, readOperations } from '../../src/operations/follow-operations.ts';
import { recordOperation } from '../../src/operations/record-operation.ts';
import { makeFolder } from '../log/make-folder.ts';

const record = (path: string, code: number) => recordOperation({ command: 'ADD', code, durationMs: 1.5 }, path);
const codes = (read: ReturnType<typeof readOperations>) => read.operations.map(({ code }) => code);

describe('the operations', () => {
  it('are read from the position on, each once', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'operations.log');
    expect(readOperations(path, undefined)).toEqual({ operations: [], position: undefined });
    record(path, 1);
    const first = readOperations(path, undefined);
    expect(first.operations).toEqual([{ command: 'ADD', code: 1, durationMs: 1.5 }]);
    record(path, 2);
    const second = readOperations(path, first.position);
    expect(codes(second)).toEqual([2]);
    expect(codes(readOperations(path, second.position))).toEqual([]);
    expect(endOfOperations(path)).toEqual(second.position);
  });

  it('in a file that has been renamed since are read first', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'operations.log');
    record(path, 1);
    const { position } = readOperations(path, undefined);
    record(path, 2);
    renameSync(path, join(folder.path, 'operations-2026-11-22T05-45-59.123.log'));
    record(path, 3);
    expect(codes(readOperations(path, position))).toEqual([2, 3]);
  });

  it('of a file that is gone are missing, and the rest is read', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'operations.log');
    record(path, 1);
    const position = { inode: 1, offset: 999 };
    expect(codes(readOperations(path, position))).toEqual([1]);
    rmSync(path);
    expect(codes(readOperations(path, position))).toEqual([]);
  });

  it('an incomplete line is read when it is complete, and a damaged one never', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'operations.log');
    writeFileSync(path, 'ADD 0 1.000\n\0\0\0\nADD x 1.000\nrm -rf\nDEL 0 ');
    const first = readOperations(path, undefined);
    expect(first.operations).toHaveLength(1);
    appendFileSync(path, '2.000\n');
    expect(readOperations(path, first.position).operations).toEqual([{ command: 'DEL', code: 0, durationMs: 2 }]);
  });
});
