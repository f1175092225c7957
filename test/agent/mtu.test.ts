import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readMtuBytes } from '../../src/agent/mtu.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';

const folder = mkdtempSync(join(tmpdir(), 'podwire-'));
let files = 0;
const file = (text: string) => {
  const path = join(folder, `mtu-${files++}`);
  writeFileSync(path, text);
  return path;
};
const UNSET = { mtuBytes: undefined, requireMtuFile: false };

it('the netconf’s MTU takes precedence over an invalid file', () =>
  expect(readMtuBytes({ ...UNSET, mtuBytes: 1400 }, file('broken'))).toBe(1400));
it('without an MTU in the netconf, the agent’s is used', () => expect(readMtuBytes(UNSET, file('1450\n'))).toBe(1450));
it('without a file, the kernel’s default is used', () => expect(readMtuBytes(UNSET, '/nowhere')).toBeUndefined());
it('a required file that is missing is a reason to try again later', () => {
  expect(() => readMtuBytes({ ...UNSET, requireMtuFile: true }, '/nowhere')).toThrow(
    expect.objectContaining({ code: ERROR_CODE.tryAgainLater }),
  );
});

const refuses = (why: string, text: string) =>
  it(`refuses a file with ${why}`, () =>
    expect(() => readMtuBytes(UNSET, file(text))).toThrow(/does not contain an MTU of 68 to 65535 bytes/));
refuses('words', 'auto');
refuses('nothing', '');
refuses('67', '67');
refuses('65536', '65536');
refuses('a sign', '-1500');
refuses('an exponent', '1e3');
