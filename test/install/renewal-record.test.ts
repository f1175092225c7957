import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeFailingRenewal, readRenewalRecord, writeRenewalRecord } from '../../src/install/renewal-record.ts';
import { makeFolder } from './make-folder.ts';

describe('the renewal', () => {
  const works = (why: string, ageSeconds: number) =>
    it(`${why}: is fine`, () =>
      expect(
        describeFailingRenewal({ succeededAtMs: 5000, failure: 'the server is away' }, 5000 + ageSeconds * 1000, 420),
      ).toBeUndefined());
  works('at once', 0);
  works('at the limit', 420);

  const fails = (why: string, record: Parameters<typeof describeFailingRenewal>[0], message: string) =>
    it(`${why}: fails`, () => expect(describeFailingRenewal(record, 1_000_000, 420)).toBe(message));
  fails(
    'after the limit',
    { succeededAtMs: 500_000, failure: 'the server is away' },
    'the token of the plugin was neither renewed nor its renewal tested for 500 s: the server is away',
  );
  fails(
    'of a process that hangs',
    { succeededAtMs: 500_000, failure: undefined },
    'the token of the plugin was neither renewed nor its renewal tested for 500 s: no attempt has ended since then; see the log of "podwire install --watch"',
  );
  fails(
    'that never succeeded',
    { succeededAtMs: undefined, failure: 'forbidden' },
    'the token of the plugin was not renewed yet: forbidden',
  );
  fails(
    'of an earlier boot, whose clock was later',
    { succeededAtMs: 2_000_000, failure: 'forbidden' },
    'the token of the plugin was not renewed yet: forbidden',
  );
  fails(
    'without a record',
    undefined,
    'the token of the plugin was not renewed yet: no attempt has ended since then; see the log of "podwire install --watch"',
  );
});

describe('the record', () => {
  it('is read as it was written', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'podwire/renewal.json');
    for (const record of [
      { succeededAtMs: 1.5, failure: undefined },
      { succeededAtMs: undefined, failure: 'x' },
    ]) {
      writeRenewalRecord(record, path);
      expect(readRenewalRecord(path)).toEqual(record);
    }
  });
  it.each(['', '[]', '{'])('that is damaged counts as absent: %j', (text) => {
    using folder = makeFolder();
    const path = join(folder.path, 'renewal.json');
    writeFileSync(path, text);
    expect(readRenewalRecord(path)).toBeUndefined();
  });
});
