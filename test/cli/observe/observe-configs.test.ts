import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { observeConfigs, ownPluginOf, parseOwnPlugin, pluginsOf } from '../../../src/cli/observe/observe-configs.ts';
import { netconf } from '../../lab/netconf.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'podwire-configs-'))));
afterEach(() => rmSync(folder, { recursive: true }));
const write = (name: string, value: unknown) =>
  writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
const LIST = {
  cniVersion: '1.0.0',
  name: 'k8s',
  plugins: [{ ...netconf(), name: undefined, cniVersion: undefined }, { type: 'portmap' }],
};

describe('observeConfigs', () => {
  it('lists what a runtime reads in its order, and finds the one of podwire', () => {
    write('10-podwire.conflist', LIST);
    write('05-other.conf', { cniVersion: '0.4.0', name: 'o', type: 'bridge' });
    write('podwire-kubeconfig', '{}');
    expect(observeConfigs(folder, {})).toEqual({
      files: {
        kind: 'seen',
        value: [
          {
            name: '05-other.conf',
            problem: undefined,
            network: 'o',
            cniVersion: '0.4.0',
            plugins: ['bridge'],
            masqueradesHostPorts: undefined,
          },
          {
            name: '10-podwire.conflist',
            problem: undefined,
            network: 'k8s',
            cniVersion: '1.0.0',
            plugins: ['podwire', 'portmap'],
            masqueradesHostPorts: true,
          },
        ],
      },
      own: { kind: 'valid', fileName: '10-podwire.conflist', config: expect.objectContaining({ name: 'k8s' }) },
    });
  });
  it('reports that portmap does not masquerade', () => {
    write('10-podwire.conflist', { ...LIST, plugins: [{ type: 'podwire' }, { type: 'portmap', snat: false }] });
    expect(observeConfigs(folder, {}).files).toMatchObject({ value: [{ masqueradesHostPorts: false }] });
  });
  it('reports why a file cannot be used', () => {
    write('10-podwire.conflist', '{');
    expect(observeConfigs(folder, {})).toMatchObject({
      files: { value: [{ problem: expect.stringContaining('not valid JSON'), plugins: [] }] },
      own: { kind: 'absent' },
    });
  });
  it('reports what is wrong in the configuration of podwire', () => {
    write('10-podwire.conflist', { ...LIST, plugins: [{ ...netconf({ mtu: 'x' }) }] });
    expect(observeConfigs(folder, {}).own).toMatchObject({ kind: 'invalid', error: { finding: 'PW102' } });
  });
  it('a folder that is missing has no configuration, and one that cannot be read is not seen', () => {
    const own = { kind: 'absent' };
    expect(observeConfigs(join(folder, 'none'), {})).toEqual({ files: { kind: 'seen', value: [] }, own });
    expect(observeConfigs('/dev/null', {})).toMatchObject({ files: { kind: 'unseen' }, own });
  });
});

it('libcni passes the name and the version of the list', () => {
  expect(ownPluginOf({ cniVersion: '1.0.0', name: 'k8s', plugins: [{ type: 'a' }, { type: 'podwire' }] })).toEqual({
    type: 'podwire',
    cniVersion: '1.0.0',
    name: 'k8s',
  });
  expect(parseOwnPlugin({ ...netconf() }, {}).name).toBe('k8s-pod-network');
});
it('called under another name, podwire is the first plugin', () =>
  expect(ownPluginOf({ name: 'k8s', plugins: [{ type: 'calico' }, { type: 'portmap' }] })).toMatchObject({
    type: 'calico',
  }));
it('a configuration without a list is one plugin', () =>
  expect(pluginsOf({ type: 'bridge' })).toEqual([{ type: 'bridge' }]));
