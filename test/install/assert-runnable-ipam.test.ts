import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { assertRunnableIpam } from '../../src/install/assert-runnable-ipam.ts';
import { layoutOf } from '../../src/install/layout.ts';
import { makeFolder } from './make-folder.ts';

const CONFIG = { ipamPrograms: ['host-local'] };

function makeNode(root: string) {
  const layout = layoutOf(root, { programs: '/usr/lib/cni', configs: '/etc/cni/net.d' });
  mkdirSync(layout.here.programs, { recursive: true });
  return {
    layout,
    programs: [],
    skippedPrograms: [],
    updatePrograms: true,
    binding: { folder: undefined, isOfImage: false, isIntact: true },
  };
}

it('names the folder as the node calls it', () => {
  using folder = makeFolder();
  const facts = makeNode(folder.path);
  chmodSync(facts.layout.here.programs, 0o777);
  expect(() => assertRunnableIpam(CONFIG, facts)).toThrow(/can change \/usr\/lib\/cni;/);
});

it('names a program on the node that others can write', () => {
  using folder = makeFolder();
  const facts = makeNode(folder.path);
  const path = join(facts.layout.here.programs, 'host-local');
  writeFileSync(path, '');
  chmodSync(path, 0o757);
  expect(() => assertRunnableIpam(CONFIG, facts)).toThrow(/can change \/usr\/lib\/cni\/host-local;/);
});

it('accepts a link to a folder of the node that is not mounted here', () => {
  using folder = makeFolder();
  const facts = makeNode(folder.path);
  symlinkSync('/nowhere/host-local', join(facts.layout.here.programs, 'host-local'));
  expect(() => assertRunnableIpam(CONFIG, facts)).not.toThrow();
});

it('without an IPAM plugin nothing is checked', () => {
  using folder = makeFolder();
  const facts = makeNode(folder.path);
  chmodSync(facts.layout.here.programs, 0o777);
  expect(() => assertRunnableIpam({ ipamPrograms: [] }, facts)).not.toThrow();
});
