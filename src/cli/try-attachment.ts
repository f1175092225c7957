import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseResult } from '../cni/result.ts';
import { parseJsonObject, type JsonObject } from '../json/json.ts';
import type { NodeFacts } from '../diagnosis/facts.ts';
import { found, passed, skipped, type Finding } from '../diagnosis/finding.ts';
import { errnoOf, messageOf } from '../system/error-text.ts';
import type { CliIo } from './cli-io.ts';
import { openNodeFiles } from './observe/node-files.ts';
import { ownPluginOf } from './observe/observe-configs.ts';
import { runSelf, type SelfEnd } from './run-self.ts';

/** Longer than an ADD may take with all its budgets. */
const COMMAND_MS = 60_000;
const PACKET_MS = 2000;

/**
 * Attaches a network namespace without a pod, as a runtime does: ADD, CHECK, packets in both directions, DEL. Settings can
 * mislead, packets cannot. Everything is removed again.
 */
export async function tryAttachment(
  { own, folders, programs }: NodeFacts,
  { root, timeoutSeconds }: { readonly root: string | undefined; readonly timeoutSeconds: number },
  io: CliIo,
): Promise<Finding> {
  const files = openNodeFiles(root, io.environment);
  if (files.root !== '/') return skipped('PW604', 'a trial needs the rights of the node: run this on the node');
  if (own.kind !== 'valid') return skipped('PW604', 'there is no valid network configuration');
  const pluginFolders =
    programs.kind === 'seen' ? programs.value.flatMap(({ path }) => path?.replace(/\/[^/]*$/, '') ?? []) : [];
  const list = parseJsonObject(await readFile(join(folders.configs, own.fileName)));
  const folder = await mkdtemp('/run/podwire-doctor-');
  const sandboxPath = join(folder, 'net');
  const trial = {
    config: ownPluginOf(list),
    executablePath: io.called.executablePath,
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
    return found('PW604', 'failed', 'A network namespace cannot be created.', {
      evidence: [['problem', messageOf(error)]],
    });
  } finally {
    await promisify(execFile)('umount', ['--lazy', sandboxPath]).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

interface Trial {
  readonly config: JsonObject;
  readonly executablePath: string;
  readonly timeoutMs: number;
  readonly environment: Readonly<Record<string, string>>;
}

async function attach(trial: Trial): Promise<Finding> {
  const command = (verb: string, config: object): Promise<SelfEnd> =>
    runSelf({ ...trial, config, environment: { ...trial.environment, CNI_COMMAND: verb } });
  const begunMs = performance.now();
  const added = await command('ADD', trial.config);
  const addMs = Math.round(performance.now() - begunMs);
  if (!added.succeeded) {
    await command('DEL', trial.config);
    return failure('ADD', added.message);
  }
  const prevResult = parseJsonObject(added.stdout);
  const checked = await command('CHECK', { ...trial.config, prevResult });
  const addresses = parseResult(prevResult).ips.map(({ address }) => address.address.text);
  const unanswered: string[] = [];
  for (const address of addresses) if (!(await answers(address))) unanswered.push(address);
  const removed = await command('DEL', { ...trial.config, prevResult });
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
