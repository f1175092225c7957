import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
  createReadStream,
} from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bindExecutable } from '../../src/install/bind-executable.ts';
import { isJsonList, parseJsonObject } from '../../src/json/json.ts';
import { makeAccountFolder, type AccountFolder } from '../support/installer/account-folder.ts';
import { installerAccount, NODE, startInstallCluster } from '../support/installer/install-cluster.ts';
import { installerKillPointsOf, runInstallerKilledAt, type KillPoint } from '../support/kills/system-call-kill.ts';
import { makeInstallNode, type InstallerCall, type InstallNode } from '../support/installer/install-node.ts';
import type { Cluster } from '../lab/api-server/kube-apiserver.ts';
import { recordFigure } from '../support/suite/reliability-figure.ts';
import { startExecutable } from '../lab/run-executable.ts';
import { memberText } from '../lab/member.ts';

// PODWIRE_KILL_POINTS=all tests all points. By default this many points of each command are tested, evenly spread.
const IS_WHOLE = process.env['PODWIRE_KILL_POINTS'] === 'all';
const MAX_POINTS = 8;
const SWEEP_MS = IS_WHOLE ? 1_800_000 : 300_000;
const PRIVATE_FOLDER = '/run'; // in memory: each point writes an executable or two

let cluster: Cluster;
let account: AccountFolder;
let node: InstallNode;
let template: string;
beforeAll(async () => {
  cluster = await startInstallCluster();
  account = makeAccountFolder(await installerAccount(cluster));
});
beforeEach(async () => {
  node = await makeInstallNode(cluster.server, NODE, PRIVATE_FOLDER);
  template = `${node.root}-before`;
  return () => node[Symbol.asyncDispose]();
});
afterAll(async () => {
  account[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

const INSTALL: InstallerCall = {};
const UPGRADE: InstallerCall = { environment: { CNI_MTU: '1400', CNI_OLD_CONF_NAME: '05-old.conflist' } };
/** As in docs/install.md: the executable that runs this is the one that it removes. */
const UNINSTALL: InstallerCall = { calledAs: '../host/opt/cni/bin/podwire', args: ['uninstall'], isOnNode: true };
/** If it has removed itself, the image can remove the rest. */
const UNINSTALL_REST: InstallerCall = { args: ['uninstall'] };

async function succeed(call: InstallerCall): Promise<void> {
  const { exitCode, stderr } = await node.run(call);
  if (exitCode !== 0) throw new Error(`${exitCode} ${stderr}`);
}

/** Another version of each program, the libraries of two other versions, and another configuration under another name. */
async function makeOldNode(): Promise<void> {
  await succeed(INSTALL);
  for (const name of readdirSync(node.programs).filter((entry) => entry !== '.podwire')) {
    const path = join(node.programs, name);
    copyFileSync(path, `${path}.old`);
    appendFileSync(`${path}.old`, 'of another version');
    chmodSync(`${path}.old`, 0o755);
    renameSync(`${path}.old`, path);
  }
  renameSync(join(node.configs, '10-podwire.conflist'), join(node.configs, '05-old.conflist'));
  const native = join(node.programs, '.podwire');
  const [folder = ''] = readdirSync(native);
  renameSync(join(native, folder), join(native, '0.0.9-replaced'));
  await bindExecutable(join(node.programs, 'podwire'), '/opt/cni/bin/.podwire/0.0.9-replaced');
  mkdirSync(join(native, '0.0.8'));
  writeFileSync(join(native, '0.0.8/koffi.node'), 'of another version');
  for (const name of ['0.0.8', '0.0.9-replaced']) utimesSync(join(native, name), 0, 0);
}

/** The installer never writes into an existing file, so links are sufficient. */
const keepAsBefore = (): void => void execFileSync('cp', ['-al', node.root, template]);
const makeAsBefore = (): void => {
  rmSync(node.root, { recursive: true });
  execFileSync('cp', ['-al', template, node.root]);
};

async function answersVersion(name: string): Promise<boolean> {
  const ended = await startExecutable({
    executable: join('/opt/cni/bin', name),
    within: node.within,
    environment: { CNI_COMMAND: 'VERSION' },
    stdin: '{"cniVersion":"1.0.0"}',
  }).ended;
  return isJsonList(ended.answer?.['supportedVersions'] ?? null);
}

/** The faults that a runtime or an administrator would notice. */
async function faultsOf(now: NodeFiles, sound: readonly NodeFiles[]): Promise<readonly string[]> {
  const halves = [...now].filter(
    ([path, content]) => !isUnfinished(path) && !sound.some((files) => files.get(path) === content),
  );
  const faults = halves.map(([path]) => `${path} is neither what it was nor what it is to be`);
  const names = readdirSync(node.configs);
  for (const config of names.filter((name) => /\.(conflist|conf|json)$/.test(name))) {
    if (!names.includes('podwire-kubeconfig')) faults.push(`${config} without a kubeconfig`);
    const plugins = parseJsonObject(await node.read(config))['plugins'] ?? null;
    const types = isJsonList(plugins) ? plugins.map((plugin) => memberText(plugin, 'type')) : [];
    for (const type of ['host-local', ...types.map(String)]) {
      if (!existsSync(join(node.programs, type))) faults.push(`${config} without ${type}`);
      else if (!(await answersVersion(type))) faults.push(`${config}, and ${type} does not answer`);
    }
  }
  return faults;
}

interface Sweep {
  readonly call: InstallerCall;
  readonly before: NodeFiles;
  readonly after: NodeFiles;
}

/** Kills the command at a point, checks the node, runs the command again, and returns the faults. */
async function tryPoint(
  { call, before, after }: Sweep,
  point: KillPoint,
): Promise<{ hit: boolean; faults: readonly string[] }> {
  makeAsBefore();
  const ended = await runInstallerKilledAt(node, call, point);
  const faults = [...(await faultsOf(await readNodeFiles(node.root), [before, after]))];
  await succeed(call === UNINSTALL && !existsSync(join(node.programs, 'podwire')) ? UNINSTALL_REST : call);
  const left = await readNodeFiles(node.root);
  for (const path of new Set([...left.keys(), ...after.keys()]))
    if (left.get(path) !== after.get(path)) faults.push(`run again, ${path} is ${left.get(path) ?? 'missing'}`);
  return {
    hit: ended.signal === 'SIGKILL',
    faults: faults.map((fault) => `${point.call} #${point.ordinal}: ${fault}`),
  };
}

function spread<Value>(values: readonly Value[]): readonly Value[] {
  if (IS_WHOLE || values.length <= MAX_POINTS) return values;
  return Array.from(
    { length: MAX_POINTS },
    (_, index) => values[Math.floor((index * values.length) / MAX_POINTS)],
  ).filter((value) => value !== undefined);
}

describe('killed before any change of a file, the node stays usable, and repeating the command finishes', () => {
  it.for([
    { name: 'install on a bare node', call: INSTALL, prepare: async () => undefined, pointsLeast: 50 },
    { name: 'an upgrade', call: UPGRADE, prepare: makeOldNode, pointsLeast: 50 },
    { name: 'uninstall', call: UNINSTALL, prepare: () => succeed(INSTALL), pointsLeast: 8 },
  ])('$name', { timeout: SWEEP_MS }, async ({ name, call, prepare, pointsLeast }, { task }) => {
    await prepare();
    keepAsBefore();
    const before = await readNodeFiles(node.root);
    await succeed(call);
    const after = await readNodeFiles(node.root);
    expect(after).not.toEqual(before);
    makeAsBefore();
    const points = await installerKillPointsOf(node, call);
    expect(points.length).toBeGreaterThan(pointsLeast);
    const outcomes: Awaited<ReturnType<typeof tryPoint>>[] = [];
    for (const point of spread(points)) outcomes.push(await tryPoint({ call, before, after }, point));
    expect(outcomes.flatMap(({ faults }) => faults)).toEqual([]);
    const kills = outcomes.filter(({ hit }) => hit).length;
    expect(kills).toBeGreaterThan(outcomes.length * 0.8);
    recordFigure(task, {
      fault: `SIGKILL before a change of a file in ${name}`,
      promise: 'no configuration without its programs, no half of a file; the same again finishes',
      measured: `${kills} kills at ${outcomes.length} of ${points.length} points, 0 with something wrong`,
    });
  });
});

/** The mode and the content of each path below a root. Tokens are left out, because each run gets another one. */
type NodeFiles = ReadonlyMap<string, string>;

/** All files and folders below a root. */
async function readNodeFiles(root: string): Promise<NodeFiles> {
  const paths = (await readdir(root, { recursive: true })).toSorted();
  const found = new Map<string, string>();
  for (const path of paths) found.set(path, await describeFile(join(root, path)));
  return found;
}

/** True for a temporary file, and for one that is about to be removed, which no runtime reads. */
function isUnfinished(path: string): boolean {
  return path.includes('/.removed-') || /^\.podwire-new-.*\.(?:tmp|lock)$/.test(basename(path));
}

async function describeFile(path: string): Promise<string> {
  const stats = await lstat(path);
  const mode = (stats.mode & 0o7777).toString(8);
  if (stats.isDirectory()) return `folder ${mode}`;
  if (basename(path) === 'podwire-kubeconfig') return `${mode} ${withoutToken(await readFile(path, 'utf8'))}`;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return `${mode} ${hash.digest('hex')}`;
}

function withoutToken(text: string): string {
  return text.replace(/"token": "[\w-]+\.[\w-]+\.[\w-]+"/, '"token"');
}
