import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseResult } from '../cni/result.ts';
import { parseJsonObject, type JsonObject } from '../json/json.ts';
import type { NodeFacts } from '../diagnosis/facts.ts';
import { planMasquerade } from '../diagnosis/masquerade.ts';
import { found, passed, skipped, type Finding } from '../diagnosis/finding.ts';
import { errnoOf, messageOf } from '../system/error-text.ts';
import type { CliIo } from './cli-io.ts';
import { NO_VALID_CONFIGURATION } from './observe/observe-node.ts';
import { openNodeFiles } from './observe/node-files.ts';
import { ownPluginOf } from './observe/observe-configs.ts';
import { runSelf, type SelfEnd } from './run-self.ts';

/** The numbers of the trial. */
const TRIAL = ['PW604', 'PW803'] as const;

/** Longer than an ADD may take with all its budgets. */
const COMMAND_MS = 60_000;
const PACKET_MS = 2000;

/**
 * Attaches a network namespace without a pod, as a runtime does: ADD, CHECK, packets in both directions, DEL. Settings can
 * mislead, packets cannot. Everything is removed again.
 */
export async function tryAttachment(
  facts: NodeFacts,
  { root, timeoutSeconds }: { readonly root: string | undefined; readonly timeoutSeconds: number },
  io: CliIo,
): Promise<readonly Finding[]> {
  const { own, folders, programs } = facts;
  const skippedBecause = (why: string) => TRIAL.map((number) => skipped(number, why));
  const files = openNodeFiles(root, io.environment);
  if (files.root !== '/') return skippedBecause('a trial needs the rights of the node: run this on the node');
  if (own.kind !== 'valid') return skippedBecause(NO_VALID_CONFIGURATION);
  const pluginFolders =
    programs.kind === 'seen' ? programs.value.flatMap(({ path }) => path?.replace(/\/[^/]*$/, '') ?? []) : [];
  const list = parseJsonObject(await readFile(join(folders.configs, own.fileName)));
  const folder = await mkdtemp('/run/podwire-doctor-');
  const sandboxPath = join(folder, 'net');
  const trial = {
    config: ownPluginOf(list),
    executablePath: io.called.executablePath,
    target: outsideTarget(facts),
    facts,
    timeoutMs: Math.max(COMMAND_MS, timeoutSeconds * 1000),
    environment: {
      CNI_CONTAINERID: `podwire-doctor-${folder.slice(-6)}`,
      CNI_IFNAME: 'eth0',
      CNI_NETNS: sandboxPath,
      CNI_PATH: [...new Set([folders.programs, ...pluginFolders])].join(':'),
      PATH: io.environment['PATH'] ?? '',
    },
  };
  try {
    await writeFile(sandboxPath, '');
    await promisify(execFile)('unshare', [`--net=${sandboxPath}`, 'true']);
    return await attach(trial);
  } catch (error) {
    const evidence = [['problem', messageOf(error)]] as const;
    return [found('PW604', 'failed', 'A network namespace cannot be created.', { evidence })];
  } finally {
    await promisify(execFile)('umount', ['--lazy', sandboxPath]).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

interface Trial {
  readonly config: JsonObject;
  readonly target: OutsideTarget | { readonly why: string };
  readonly facts: NodeFacts;
  readonly executablePath: string;
  readonly timeoutMs: number;
  readonly environment: Readonly<Record<string, string>> & { readonly CNI_NETNS: string };
}

async function attach(trial: Trial): Promise<readonly Finding[]> {
  const command = (verb: string, config: object): Promise<SelfEnd> =>
    runSelf({ ...trial, config, environment: { ...trial.environment, CNI_COMMAND: verb } });
  const begunMs = performance.now();
  const added = await command('ADD', trial.config);
  const addMs = Math.round(performance.now() - begunMs);
  if (!added.succeeded) {
    await command('DEL', trial.config);
    return [failure('ADD', added.message), skipped('PW803', 'the trial attachment failed')];
  }
  const prevResult = parseJsonObject(added.stdout);
  const checked = await command('CHECK', { ...trial.config, prevResult });
  const addresses = parseResult(prevResult).ips.map(({ address }) => address.address.text);
  const unanswered: string[] = [];
  for (const address of addresses) if (!(await answers(address))) unanswered.push(address);
  const outside = await checkOutside(trial, addresses);
  const removed = await command('DEL', { ...trial.config, prevResult });
  return [judge({ checked, unanswered, removed, addMs, addresses }), outside];
}

interface TrialEnd {
  readonly checked: SelfEnd;
  readonly unanswered: readonly string[];
  readonly removed: SelfEnd;
  readonly addMs: number;
  readonly addresses: readonly string[];
}

function judge({ checked, unanswered, removed, addMs, addresses }: TrialEnd): Finding {
  if (!checked.succeeded) return failure('CHECK', checked.message);
  if (unanswered.length > 0) {
    return failure(
      'A packet',
      `${unanswered.join(' and ')} of the trial attachment does not answer within ${PACKET_MS} ms`,
    );
  }
  if (!removed.succeeded) return failure('DEL', removed.message);
  return passed(
    'PW604',
    `a trial attachment worked: ADD in ${addMs} ms, CHECK, packets to ${addresses.join(' and ')}, DEL`,
  );
}

function failure(what: string, message: string): Finding {
  return found('PW604', 'failed', `${what} of a trial attachment failed.`, { evidence: [['message', message]] });
}

// Nothing listens there: the refusal is a packet that has come back.
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 9 });
    const end = (isAnswered: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isAnswered);
    };
    const timer = setTimeout(() => end(false), PACKET_MS);
    socket.on('connect', () => end(true)).on('error', (error) => end(errnoOf(error) === 'ECONNREFUSED'));
  });
}

/** An address outside the podCIDR from which an answer must come back. */
interface OutsideTarget {
  readonly host: string;
  readonly port: string;
}

/** The API server: every node reaches it, and many pods must. */
function outsideTarget({ api, processes }: NodeFacts): Trial['target'] {
  if (api.kind === 'unseen') return { why: api.why };
  // The agent drops packets of an interface whose endpoint is on no pod.
  if (processes.agent !== undefined) return { why: 'the policy agent drops packets of an attachment without a pod' };
  const { hostname, port } = new URL(api.value.server);
  const host = hostname.replaceAll(/[[\]]/g, '');
  if (isIP(host) === 0)
    return { why: 'the address of the API server is a name, which this node may resolve in another way' };
  if (host === '::1' || host.startsWith('127.')) return { why: 'the node reaches the API server by loopback' };
  return { host, port: port || '443' };
}

async function checkOutside({ target, environment, facts }: Trial, addresses: readonly string[]): Promise<Finding> {
  if ('why' in target) return skipped('PW803', target.why);
  const { host, port } = target;
  if (!addresses.some((address) => isIP(address) === isIP(host)))
    return skipped('PW803', `the trial attachment has no address of the family of ${host}`);
  const outcome = await connectFrom(environment, target);
  if (outcome === 'unknown') return skipped('PW803', 'nsenter or bash is missing on this node');
  if (outcome === 'reached') return passed('PW803', `an answer comes back to a pod from ${host}`);
  const masquerade = planMasquerade(facts, isIP(host) === 6 ? 'ipv6' : 'ipv4');
  return found('PW803', 'failed', `No answer comes back to a pod from ${host}, and the node gets one.`, {
    fix: masquerade.commands,
    evidence: [
      ['sent', `a connection to ${host} port ${port}, from ${addresses.join(' and ')}`],
      ['waited', `${PACKET_MS} ms`],
      ...masquerade.evidence,
    ],
  });
}

// The namespace is another one than that of this process, so another program connects.
async function connectFrom(
  environment: Trial['environment'],
  { host, port }: OutsideTarget,
): Promise<'reached' | 'lost' | 'unknown'> {
  const command = [`--net=${environment.CNI_NETNS}`, 'bash', '-c', 'exec 3<>"/dev/tcp/$1/$2"', 'bash', host, port];
  try {
    await promisify(execFile)('nsenter', command, {
      timeout: PACKET_MS,
      killSignal: 'SIGKILL',
      env: { PATH: environment['PATH'], LANG: 'C' },
    });
    return 'reached';
  } catch (error) {
    const text = messageOf(error);
    if (/Connection refused/.test(text)) return 'reached';
    const isLost = Reflect.get(Object(error), 'killed') === true || /unreachable|No route to host|timed out/.test(text);
    return isLost ? 'lost' : 'unknown';
  }
}
