import { join } from 'node:path';
import { expect, it } from 'vitest';
import { thisArchitecture } from '../../../build/architecture.ts';
import { npmComponents } from '../../../build/image/npm-components.ts';

const inPackages = (name: string) => join(import.meta.dirname, '../../../node_modules', name);

it("a package's checksum is its lockfile's", async () => {
  const [yaml] = await npmComponents([inPackages('yaml')]);
  expect(yaml).toMatchObject({
    url: expect.stringMatching(/^pkg:npm\/yaml@\d/),
    license: 'ISC',
    checksum: { algorithm: 'SHA512', hex: expect.stringMatching(/^[0-9a-f]{128}$/) },
  });
});

it("a scope's @ is written as a package URL wants it", async () => {
  const name = `@koromix/koffi-linux-${thisArchitecture()}`;
  expect(await npmComponents([inPackages(name)])).toMatchObject([
    { url: expect.stringMatching(/^pkg:npm\/%40koromix\/koffi-linux-/) },
  ]);
});

it('Node in a package is named as Node too', async () => {
  const components = await npmComponents([inPackages(`node-linux-${thisArchitecture()}`)]);
  expect(components.map(({ url }) => url)).toContainEqual(expect.stringMatching(/^pkg:generic\/node@24\./));
});
