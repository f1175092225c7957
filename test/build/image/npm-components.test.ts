import { join } from 'node:path';
import { expect, it } from 'vitest';
import { thisArchitecture } from '../../../build/architecture.ts';
import { npmComponents } from '../../../build/image/npm-components.ts';

const inPackages = (name: string) => join(import.meta.dirname, '../../../node_modules', name);

it('a package has the checksum of its lockfile', async () => {
  const [yaml] = await npmComponents([inPackages('yaml')]);
  expect(yaml).toMatchObject({
    url: expect.stringMatching(/^pkg:npm\/yaml@\d/),
    license: 'ISC',
    checksum: { algorithm: 'SHA512', hex: expect.stringMatching(/^[0-9a-f]{128}$/) },
  });
});

it('the @ of a scope is encoded in the package URL', async () => {
  const name = `@koromix/koffi-linux-${thisArchitecture()}`;
  expect(await npmComponents([inPackages(name)])).toMatchObject([
    { url: expect.stringMatching(/^pkg:npm\/%40koromix\/koffi-linux-/) },
  ]);
});

it('a package that contains Node is also listed as Node', async () => {
  const components = await npmComponents([inPackages(`node-linux-${thisArchitecture()}`)]);
  expect(components.map(({ url }) => url)).toContainEqual(expect.stringMatching(/^pkg:generic\/node@24\./));
});
