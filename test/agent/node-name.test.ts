import { mkdtempSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readNodeName } from '../../src/agent/node-name.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';

const folder = mkdtempSync(join(tmpdir(), 'podwire-'));
const file = (text: string) => {
  const path = join(folder, `nodename-${text.length}`);
  writeFileSync(path, text);
  return path;
};
const read = (
  nodeName: string | undefined,
  nodeNameFile: string,
  nodeNameFileOptional = false,
  podCidrNodeName?: string,
) => readNodeName({ nodeName, nodeNameFile, nodeNameFileOptional, podCidrNodeName });

it('the netconf’s name takes precedence, and the file may be missing', () =>
  expect(read('node-1', '/nowhere')).toBe('node-1'));
it('without a name in the netconf, the file’s is used, without its line break', () =>
  expect(read(undefined, file('node-2\n'))).toBe('node-2'));
it('kubernetes.node_name replaces a missing file, and comes before the host name', () =>
  expect([read(undefined, '/nowhere', false, 'node-3'), read(undefined, '/nowhere', true, 'node-3')]).toEqual([
    'node-3',
    'node-3',
  ]));
it('an optional file that is missing is replaced by the host name', () =>
  expect(read(undefined, '/nowhere', true)).toBe(hostname().toLowerCase()));
it('an optional file that is empty is replaced by the host name', () =>
  expect(read(undefined, file('\n'), true)).toBe(hostname().toLowerCase()));
it('a missing file is an error that names it', () => {
  expect(() => read(undefined, '/nowhere')).toThrow(
    expect.objectContaining({ code: ERROR_CODE.invalidConfig, message: expect.stringContaining('/nowhere') }),
  );
});
it('an empty file is an error', () =>
  expect(() => read(undefined, file('\n\n'))).toThrow(/it is empty|does not contain it/));
