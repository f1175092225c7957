import { describe, expect, it } from 'vitest';
import { isolateLoader } from '../../src/install/isolate-loader.ts';

// cmpb $'L',(%rax); jne; cmpb $'D',1(%rax); jne; cmpb $'_',2(%rax); jne
const X64 = Buffer.from('80384c75ee8078014475e88078025f75e2', 'hex');
// ldrb w2,[x0]; cmp w2,#'L'; b.ne; ldrb w2,[x0,#1]; cmp w2,#'D'; b.ne; ldrb w2,[x0,#2]; cmp w2,#'_'; b.ne
const ARM64 = Buffer.from(
  [0x39400002, 0x7101305f, 0x54ffff81, 0x39400402, 0x7101105f, 0x54ffff21, 0x39400802, 0x71017c5f, 0x54fffec1]
    .map((word) => Buffer.from(Uint32Array.of(word).buffer).toString('hex'))
    .join(''),
  'hex',
);
const MACHINES = { x64: 62, arm64: 183 } as const;
const CODE = { x64: X64, arm64: ARM64 } as const;
const TRIPLETS = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' } as const;

function makeLoader(
  architecture: 'x64' | 'arm64',
  parts: { readonly text?: string; readonly code?: Buffer } = {},
): Buffer {
  const triplet = TRIPLETS[architecture];
  const folders = `/lib/${triplet}/\0/usr/lib/${triplet}/\0/lib/\0/usr/lib/\0`;
  const text =
    parts.text ?? `GLIBC_TUNABLES\0${folders}\0/etc/ld.so.cache\0/etc/ld.so.preload\0do not use /etc/ld.so.cache\n`;
  const head = Buffer.alloc(64);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt16LE(MACHINES[architecture], 18);
  const padded = Buffer.alloc(512);
  padded.write(text);
  return Buffer.concat([head, padded, parts.code ?? CODE[architecture]]);
}

describe.each(['x64', 'arm64'] as const)('a loader for %s', (architecture) => {
  it('names no file or folder of the machine, and keeps its size and its help text', () => {
    const loader = makeLoader(architecture);
    const isolated = isolateLoader(loader);
    const text = isolated.toString('latin1');
    expect(isolated).toHaveLength(loader.length);
    expect(text).toContain('\0/sys/ld.so.cache\0/sys/ld.so.preload\0do not use /etc/ld.so.cache\n');
    expect(text).toMatch(/\0\/sys\/+\0\/sys\/+\0\/sys\/\0\/sys\/\/\/\/\/\0/);
    expect(text).not.toMatch(/\/lib\//);
    expect(text).not.toContain('GLIBC_TUNABLES');
  });

  it('compares the first byte of a variable with two letters, so that none begins with LD_', () => {
    const before = makeLoader(architecture);
    const isolated = isolateLoader(before);
    const changed = [...before.keys()].filter((at) => at >= 576 && before[at] !== isolated[at]);
    expect(changed).toEqual([architecture === 'x64' ? 576 + 7 : 576 + 13]);
    expect(isolated[changed[0] ?? 0]).toBe(0);
  });

  const rejects = (why: string, parts: { readonly text?: string; readonly code?: Buffer }, message: RegExp) =>
    it(`is rejected ${why}`, () => expect(() => isolateLoader(makeLoader(architecture, parts))).toThrow(message));
  rejects('without its check of variables', { code: Buffer.alloc(64) }, /found it 0 times.*adapt/);
  rejects(
    'with two such checks',
    { code: Buffer.concat([CODE[architecture], CODE[architecture]]) },
    /found it 2 times/,
  );
  rejects(
    'without the file of preloaded libraries',
    { text: '/etc/ld.so.cache\0' },
    /ld\.so\.preload.*found it 0 times/,
  );
});
