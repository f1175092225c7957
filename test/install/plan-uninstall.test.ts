import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../src/install/layout.ts';
import {
  assertNothingAttached,
  describeWait,
  isInstalled,
  planUninstall,
  type UninstallFacts,
} from '../../src/install/plan-uninstall.ts';

function facts(overrides: Partial<UninstallFacts> = {}): UninstallFacts {
  return {
    layout: layoutOf('/', { programs: '/opt/cni/bin', configs: '/etc/cni/net.d' }),
    configNames: ['10-podwire.conflist'],
    hasKubeconfig: true,
    hasProgram: true,
    nativeFolders: ['native'],
    hasLibrariesBesidePrograms: false,
    attachmentCount: 0,
    emptyNetworks: ['networks/k8s-pod-network'],
    otherConfigNames: [],
    purgedFolders: [],
    ...overrides,
  };
}

describe('the plan of a removal', () => {
  it('removes what the runtime sees first, then the executable, and last what it cannot run without', () => {
    expect(planUninstall(facts()).map(({ kind, shownPath }) => `${kind} ${shownPath}`)).toEqual([
      'remove-abandoned-files /opt/cni/bin',
      'remove-abandoned-files /etc/cni/net.d',
      'remove-file /etc/cni/net.d/10-podwire.conflist',
      'remove-file /etc/cni/net.d/podwire-kubeconfig',
      'remove-folder /var/lib/podwire/networks/k8s-pod-network',
      'remove-folder-if-empty /var/lib/podwire/networks',
      'remove-file /opt/cni/bin/podwire',
      'remove-folder /var/lib/podwire/native',
      'remove-folder-if-empty /var/lib/podwire',
    ]);
  });

  it('purges folders last', () => {
    const log = { path: '/host/var/log/podwire', shownPath: '/var/log/podwire' };
    expect(planUninstall(facts({ purgedFolders: [log] })).at(-1)).toEqual({ kind: 'remove-folder', ...log });
  });

  it('of a bare node changes nothing', () => {
    const bare = { configNames: [], hasKubeconfig: false, hasProgram: false, nativeFolders: [], emptyNetworks: [] };
    expect([isInstalled(facts()), isInstalled(facts(bare))]).toEqual([true, false]);
    expect(planUninstall(facts(bare)).map(({ kind }) => kind)).toEqual([
      'remove-abandoned-files',
      'remove-abandoned-files',
      'remove-folder-if-empty',
      'remove-folder-if-empty',
    ]);
  });

  it('is an error while attachments are recorded, with their number', () => {
    expect(() => assertNothingAttached(facts())).not.toThrow();
    expect(() => assertNothingAttached(facts({ attachmentCount: 1 }))).toThrow('1 attachment is still recorded');
    expect(() => assertNothingAttached(facts({ attachmentCount: 2 }))).toThrow('2 attachments are still recorded');
  });
});

describe('the removal that waits', () => {
  it('says what is attached, and what to do about it', () => {
    expect(describeWait({ attachmentCount: 0 })).toBeUndefined();
    expect(describeWait({ attachmentCount: 1 })).toMatch(/^1 attachment is still recorded.*drain the node/);
    expect(describeWait({ attachmentCount: 2 })).toMatch(/^2 attachments are .*pods of DaemonSets/);
  });
});
