import { PassThrough, Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { readUntilSilent } from '../../src/cli/read-until-silent.ts';

it('reads to the end', async () =>
  expect(
    Buffer.from((await readUntilSilent(Readable.from([Buffer.from('a'), Buffer.from('b')]))) ?? []).toString(),
  ).toBe('ab'));
it('an empty stream is not a silent one', async () => expect(await readUntilSilent(Readable.from([]))).toHaveLength(0));
it('a silent stream is undefined, also after a beginning', async () => {
  expect(await readUntilSilent(new PassThrough(), 1)).toBeUndefined();
  const begun = new PassThrough();
  begun.write('{');
  expect(await readUntilSilent(begun, 1)).toBeUndefined();
});
it('what is too large is not read to its end', async () => {
  const pieces = Array.from({ length: 20 }, () => Buffer.alloc(1024 * 1024));
  expect((await readUntilSilent(Readable.from(pieces)))?.length).toBe(17 * 1024 * 1024);
});
