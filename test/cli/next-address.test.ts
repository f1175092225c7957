import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { nextAddress } from '../../src/cli/next-address.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'podwire-next-'))));
afterAll(() => rmSync(folder, { recursive: true }));
const next = (last: string | undefined, used: readonly string[], range = '10.0.0.0/29') => {
  const path = join(folder, 'last_reserved_ip.0');
  if (last === undefined) rmSync(path, { force: true });
  else writeFileSync(path, last);
  return nextAddress(parseCidr(range), new Set(used), folder, 0)?.text;
};

it('the first lease is the first free address', () => expect(next(undefined, [])).toBe('10.0.0.2'));
it('continues after the last lease, even if earlier addresses are free', () =>
  expect(next('10.0.0.4', ['10.0.0.4'])).toBe('10.0.0.5'));
it('begins again at the end of the range', () => expect(next('10.0.0.6', ['10.0.0.6', '10.0.0.2'])).toBe('10.0.0.3'));
it('ignores a last address of another range', () => expect(next('10.9.0.6', [])).toBe('10.0.0.2'));
it('of a full range there is none', () => expect(next(undefined, ['10.0.0.2'], '10.0.0.0/30')).toBeUndefined());
