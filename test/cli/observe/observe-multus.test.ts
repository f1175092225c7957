import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openNodeFiles } from '../../../src/cli/observe/node-files.ts';
import { observeConfigs } from '../../../src/cli/observe/observe-configs.ts';
import { observeMultus } from '../../../src/cli/observe/observe-multus.ts';

let root = '';
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'podwire-multus-'))));
afterEach(() => rmSync(root, { recursive: true }));

const NET_D = '/etc/cni/net.d';
const PODWIRE = { cniVersion: '1.0.0', name: 'k8s', plugins: [{ type: 'podwire' }] };
const write = (path: string, value: object) => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify(value));
};
const multus = (settings: object) =>
  write(`${NET_D}/00-multus.conf`, {
    cniVersion: '1.0.0',
    name: 'multus-cni-network',
    type: 'multus-shim',
    ...settings,
  });
const observe = () => {
  const files = openNodeFiles(root, {});
  return observeMultus(observeConfigs(files.layout.here.configs, {}).files, files);
};
const known = (source: string, plugins: readonly string[] = ['podwire'], network = 'k8s') => ({
  fileName: '00-multus.conf',
  primary: { kind: 'known', source, network, plugins },
});

describe('observeMultus', () => {
  beforeEach(() => write(`${NET_D}/10-podwire.conflist`, PODWIRE));

  it('the runtime calls podwire itself', () => expect(observe()).toBeUndefined());

  it('the primary network is part of the configuration', () => {
    multus({ delegates: [{ cniVersion: '0.3.1', name: 'other', type: 'bridge' }, PODWIRE] });
    expect(observe()).toEqual(known('"delegates"', ['bridge'], 'other'));
  });

  it.each([
    `${NET_D}/10-podwire.conflist`,
    `/host${NET_D}/10-podwire.conflist`,
    `/hostroot${NET_D}/10-podwire.conflist`,
  ])('the path of a file, as the daemon of Multus sees it: %s', (clusterNetwork) => {
    multus({ clusterNetwork });
    expect(observe()).toEqual(known(`${NET_D}/10-podwire.conflist`));
  });

  it('the path of a folder', () => {
    write('/etc/cni/more/20-a.conf', { name: 'a', type: 'macvlan' });
    multus({ clusterNetwork: '/etc/cni/more' });
    expect(observe()).toEqual(known('/etc/cni/more/20-a.conf', ['macvlan'], 'a'));
  });

  it('a file that does not exist, and an invalid one', () => {
    multus({ clusterNetwork: `${NET_D}/10-gone.conflist` });
    expect(observe()?.primary).toEqual({ kind: 'unusable', why: `${NET_D}/10-gone.conflist does not exist` });
    write('/etc/x.conf', {});
    writeFileSync(join(root, '/etc/x.conf'), '{');
    multus({ clusterNetwork: '/etc/x.conf' });
    expect(observe()?.primary.kind).toBe('unusable');
  });

  it('no primary network at all', () => {
    multus({});
    expect(observe()?.primary).toEqual({ kind: 'unusable', why: expect.stringContaining('"clusterNetwork"') });
  });

  it('the name of a network: in the folder that Multus searches, otherwise in the cluster', () => {
    multus({ clusterNetwork: 'k8s' });
    expect(observe()?.primary).toEqual({ kind: 'elsewhere', network: 'k8s' });
    multus({ clusterNetwork: 'k8s', confDir: NET_D });
    expect(observe()).toEqual(known(`${NET_D}/10-podwire.conflist`));
  });
});
