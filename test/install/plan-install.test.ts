import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeSecret } from '../../src/cluster/credentials/secret.ts';
import { layoutOf } from '../../src/install/layout.ts';
import {
  assertProgramsPresent,
  assertRunsOnNode,
  planFiles,
  planInstall,
  type InstallFacts,
} from '../../src/install/plan-install.ts';

const KUBECONFIG = '/host/etc/cni/net.d/podwire-kubeconfig';
const CONFIG = '/host/etc/cni/net.d/10-podwire.conflist';
const PODWIRE = {
  name: 'podwire',
  sourcePath: '/image/podwire',
  sourceDigest: 'new',
  nodeDigest: undefined,
  isOpenToOthers: false,
};

const LIBRARIES = { files: [], folderName: '0.2.0-0123456789ab' };
const BOUND = {
  folder: {
    here: '/host/var/lib/podwire/native/0.2.0-0123456789ab',
    onNode: '/var/lib/podwire/native/0.2.0-0123456789ab',
  },
  isOfImage: true,
  isIntact: true,
};

function facts(overrides: Partial<InstallFacts> = {}): InstallFacts {
  return {
    layout: layoutOf('/host', { programs: '/opt/cni/bin', configs: '/etc/cni/net.d' }),
    configName: '10-podwire.conflist',
    kubeconfigName: 'podwire-kubeconfig',
    kubeconfig: makeSecret('the kubeconfig', 'a test'),
    config: {
      text: 'the config',
      programs: ['podwire', 'host-local'],
      ipamPrograms: [],
      holdsToken: false,
      holdsSecret: false,
    },
    files: new Map(),
    programs: [PODWIRE],
    nodePrograms: new Set(['host-local']),
    skippedPrograms: [],
    updatePrograms: true,
    oldConfigNames: [],
    libraries: LIBRARIES,
    places: [{ here: '/host/var/lib/podwire/native', onNode: '/var/lib/podwire/native', problem: undefined }],
    binding: { folder: undefined, isOfImage: false, isIntact: false },
    version: '0.2.0',
    ...overrides,
  };
}

/** `kind path`; only `kind` for an operation that changes nothing. */
const outline = (overrides?: Partial<InstallFacts>) =>
  planInstall(facts(overrides)).map((operation) =>
    'path' in operation ? `${operation.kind} ${operation.path}` : operation.kind,
  );

describe('the plan of an installation', () => {
  it('on a bare node: programs with their libraries, kubeconfig, network configuration', () => {
    expect(outline()).toEqual([
      'remove-abandoned-files /host/opt/cni/bin',
      'remove-abandoned-files /host/etc/cni/net.d',
      'place-executable /host/opt/cni/bin/podwire',
      'clean-native-code /host/var/lib/podwire/native',
      `write-file ${KUBECONFIG}`,
      `write-file ${CONFIG}`,
    ]);
  });

  it('old configurations are removed last, and only those that exist', () => {
    const files = new Map([['10-calico.conflist', { text: '{}', mode: 0o644 }]]);
    const oldConfigNames = ['10-calico.conflist', '05-absent.conf'];
    expect(outline({ files, oldConfigNames }).at(-1)).toBe('remove-file /host/etc/cni/net.d/10-calico.conflist');
    expect(outline({ files, oldConfigNames }).at(-2)).toBe(`write-file ${CONFIG}`);
  });

  it('the new configuration is kept if it has the name of the old one', () => {
    const files = new Map([['10-podwire.conflist', { text: '{}', mode: 0o644 }]]);
    expect(outline({ files, oldConfigNames: ['10-podwire.conflist'] }).at(-1)).toBe(`write-file ${CONFIG}`);
  });

  it('files of a killed installer are removed first, because the disk may be full', () =>
    expect(outline()[0]).toBe('remove-abandoned-files /host/opt/cni/bin'));

  it('without its own libraries, the executable is placed like any program, and its addons beside the records', () => {
    expect(outline({ libraries: undefined }).slice(2, 4)).toEqual([
      'place-program /host/opt/cni/bin/podwire',
      'unpack-native-code /host/var/lib/podwire/native/0.2.0',
    ]);
  });

  it('libraries of an executable that is up to date are completed by the native addons', () => {
    const programs = [{ ...PODWIRE, nodeDigest: PODWIRE.sourceDigest }];
    expect(outline({ programs, binding: BOUND }).slice(2, 4)).toEqual([
      'keep',
      `unpack-native-code ${BOUND.folder.here}`,
    ]);
  });

  it('libraries of an executable that is replaced are marked before, so that they are kept for now', () =>
    expect(outline({ binding: { ...BOUND, isIntact: false } }).slice(2, 4)).toEqual([
      `mark-as-replaced ${BOUND.folder.here}`,
      'place-executable /host/opt/cni/bin/podwire',
    ]));

  it('a folder of libraries that cannot be used is not cleaned', () => {
    const places = [{ here: '/host/a', onNode: '/a', problem: 'it is not mounted here' }];
    expect(outline({ places })).not.toContain('clean-native-code /host/a');
  });

  const cleans = (why: string, overrides: Partial<InstallFacts>, unboundFolder: string | undefined) =>
    it(`of native code, ${why}`, () =>
      expect(planInstall(facts(overrides)).find(({ kind }) => kind === 'clean-native-code')).toMatchObject({
        program: '/host/opt/cni/bin/podwire',
        unboundFolder,
      }));
  cleans('other versions than the installed one are unused', {}, '0.2.0');
  cleans(
    'with the executable up to date, too',
    { programs: [{ ...PODWIRE, nodeDigest: PODWIRE.sourceDigest }] },
    '0.2.0',
  );
  cleans('no version is unused if the node keeps another executable', { skippedPrograms: ['podwire'] }, undefined);

  const program = (why: string, overrides: Partial<InstallFacts>, nodeDigest: string | undefined, kind: string) =>
    it(`a program ${why}: ${kind}`, () =>
      expect(planInstall(facts({ programs: [{ ...PODWIRE, nodeDigest }], ...overrides }))[2]).toMatchObject({ kind }));
  program('that is up to date', { binding: BOUND }, 'new', 'keep');
  program('that is up to date, but not its libraries', {}, 'new', 'place-executable');
  program('that differs', {}, 'old', 'place-executable');
  program('that differs, without updates', { updatePrograms: false }, 'old', 'keep');
  program(
    'that lacks its libraries, without updates',
    { updatePrograms: false, binding: { ...BOUND, isIntact: false } },
    'new',
    'mark-as-replaced',
  );
  program(
    'that is bound to other libraries, without updates',
    { updatePrograms: false, binding: { ...BOUND, isOfImage: false, isIntact: false } },
    'new',
    'keep',
  );
  program('that is missing, without updates', { updatePrograms: false }, undefined, 'place-executable');
  program('that is skipped', { skippedPrograms: ['podwire'] }, 'old', 'keep');

  it('files that are up to date are kept; others, and those that other users can read, are written', () => {
    const kinds = (text: string, mode: number) =>
      planFiles(facts({ files: new Map([['podwire-kubeconfig', { text, mode }]]) })).map(({ kind }) => kind);
    expect(kinds('the kubeconfig', 0o600)).toEqual(['keep', 'write-file']);
    expect(kinds('the kubeconfig', 0o644)).toEqual(['write-file', 'write-file']);
    expect(kinds('another', 0o600)).toEqual(['write-file', 'write-file']);
  });

  it('a network configuration that contains a secret is for root only', () => {
    const config = { text: 'the config', programs: [], ipamPrograms: [], holdsToken: false, holdsSecret: true };
    expect(planFiles(facts({ config }))[1]).toMatchObject({ mode: 0o600 });
    expect(planFiles(facts())[1]).toMatchObject({ mode: 0o644 });
  });

  it('shows no secret when it is printed', () => {
    const plan = planInstall(facts());
    expect(`${inspect(plan, { depth: 9 })}${JSON.stringify(plan)}`).not.toContain('the kubeconfig\n');
    expect(JSON.stringify(plan)).not.toContain('the config');
  });
});

describe('an executable without its own libraries', () => {
  const onThisMachine = layoutOf('/', { programs: '/opt/cni/bin', configs: '/etc/cni/net.d' });
  const isFine = (why: string, overrides: Partial<InstallFacts>) =>
    it(`can be installed ${why}`, () =>
      expect(() => assertRunsOnNode(facts({ libraries: undefined, ...overrides }))).not.toThrow());
  it('cannot be installed on another machine', () =>
    expect(() => assertRunsOnNode(facts({ libraries: undefined }))).toThrow(/use the image.*--root \//));
  isFine('on the machine that it runs on', { layout: onThisMachine });
  isFine('if the node keeps its own executable', { skippedPrograms: ['podwire'] });
});

describe('programs that the network configuration needs', () => {
  it('may be on the node or in the image', () => expect(() => assertProgramsPresent(facts())).not.toThrow());
  const refuses = (why: string, overrides: Partial<InstallFacts>, message: RegExp) =>
    it(`otherwise the installation fails: ${why}`, () =>
      expect(() => assertProgramsPresent(facts(overrides))).toThrow(message));
  refuses('no host-local', { nodePrograms: new Set() }, /needs host-local, which neither/);
  refuses('podwire is skipped and missing', { skippedPrograms: ['podwire'] }, /needs podwire/);
  refuses('none at all', { programs: [], nodePrograms: new Set() }, /podwire and host-local/);
});
