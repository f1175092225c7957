import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readdirSync, readFileSync } from 'node:fs';
import { release, version } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { formatCidr } from '../address/cidr.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import type { NodeFacts } from '../diagnosis/facts.ts';
import { reportValue } from '../diagnosis/report-value.ts';
import { parseJson, type JsonValue } from '../json/json.ts';
import { messageOf } from '../system/error-text.ts';
import { PODWIRE_VERSION } from '../version.ts';
import { CommandError, EXIT, type CliIo } from './cli-io.ts';
import { maskJson, maskText, secretsIn } from './mask-secrets.ts';
import { observeNode } from './observe/observe-node.ts';
import { openNodeFiles, type NodeFiles } from './observe/node-files.ts';
import { readEnd } from './observe/observe-failures.ts';
import { readRegularFile } from './observe/read-regular-file.ts';
import { formatReport } from './report-text.ts';
import { openTerminal } from './terminal.ts';

/** The options of `podwire support`. */
export interface SupportOptions {
  /** `undefined`: a name with the node and the time, in the current folder. */
  readonly file: string | undefined;
  readonly root: string | undefined;
  readonly timeoutSeconds: number;
}

/** A file of the archive, or why it could not be collected. */
type Collected = { readonly name: string } & ({ readonly text: string } | { readonly why: string });

const MAX_LOG_LINES = 1000;

/**
 * `podwire support`: writes one archive that only its owner can read, with what a report of a problem needs. Secrets are
 * masked. What could not be collected is listed in it, with the reason.
 *
 * @returns the exit status
 * @throws {CommandError} if the archive cannot be written, or exists
 */
export async function runSupport({ file, root, timeoutSeconds }: SupportOptions, io: CliIo): Promise<number> {
  const files = openNodeFiles(root, io.environment);
  const facts = await observeNode({
    environment: io.environment,
    executablePath: io.called.executablePath,
    root,
    kubeconfigPath: undefined,
    timeoutMs: timeoutSeconds * 1000,
  });
  const configs = readConfigs(files);
  const known = configs.flatMap(({ value }) => secretsIn(value));
  const collected: readonly Collected[] = [
    ...reportsOf(facts, io),
    ...configs.map(({ name, value, text }) => ({
      name: `configuration/${name}`,
      text: value === null ? maskText(text, known) : `${JSON.stringify(maskJson(value), undefined, 2)}\n`,
    })),
    ...readJournal(facts, files),
    readLog(facts, files),
    ...kernelStateOf(facts),
    await run('rules.json', 'ip', ['-json', 'rule']),
    await run('rules6.json', 'ip', ['-json', '-6', 'rule']),
    attempt('os-release', () => readFileSync(files.at('/etc/os-release'), 'utf8')),
    { name: 'versions.txt', text: versionsOf(facts) },
  ];
  const name = `podwire-support-${facts.nodeName ?? 'node'}-${new Date(facts.nowMs).toISOString().slice(0, 16).replaceAll(/[-:]/g, '')}`;
  const path = file ?? `${name}.tar.gz`;
  const missing = collected.flatMap((item) => ('why' in item ? [`${item.name}: ${item.why}`] : []));
  const contents = collected.flatMap((item) =>
    'text' in item ? [{ name: item.name, text: maskText(item.text, known) }] : [],
  );
  const list = [
    ...contents.map((item) => item.name),
    '',
    'Not collected:',
    ...(missing.length === 0 ? ['nothing'] : missing),
    '',
  ].join('\n');
  const sizeBytes = await writeArchive(path, name, [
    ...contents,
    { name: 'contents.txt', text: maskText(list, known) },
  ]);
  await io.writeStdout(
    [
      `Written  ${path}`,
      `         ${Math.ceil(sizeBytes / 1000)} kB, mode 0600, ${contents.length + 1} files. Tokens and keys are masked.`,
      ...missing.map((line, index) => (index === 0 ? 'Missing' : '').padEnd(9) + line.slice(0, 71)),
      'Check it before you send it:',
      `  tar tzvf ${path}`,
      '',
    ].join('\n'),
  );
  return EXIT.fine;
}

function reportsOf(facts: NodeFacts, io: CliIo): readonly Collected[] {
  const diagnosis = diagnose(facts);
  const value = reportValue(diagnosis, { nodeName: facts.nodeName, version: PODWIRE_VERSION, nowMs: facts.nowMs });
  const header = {
    parts: [facts.nodeName ?? 'unknown node', `podwire ${PODWIRE_VERSION}`, new Date(facts.nowMs).toISOString()],
  };
  const text = formatReport(diagnosis, header, openTerminal(io.environment, false, undefined), { isVerbose: true });
  return [
    { name: 'findings.txt', text },
    { name: 'findings.json', text: `${JSON.stringify(value, undefined, 2)}\n` },
  ];
}

interface ReadConfig {
  readonly name: string;
  readonly text: string;
  /** `null` if it is not JSON. */
  readonly value: JsonValue;
}

function readConfigs(files: NodeFiles): readonly ReadConfig[] {
  const folder = files.layout.here.configs;
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map(({ name }) => {
        const text = readText(join(folder, name));
        return { name, text, value: parseOrNull(text) };
      });
  } catch {
    return []; // the findings report it
  }
}

function parseOrNull(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

function readText(path: string): string {
  try {
    return Buffer.from(readRegularFile(path)).toString('utf8');
  } catch (error) {
    return `(${messageOf(error)})`;
  }
}

function readJournal({ own }: NodeFacts, files: NodeFiles): readonly Collected[] {
  if (own.kind !== 'valid') return [{ name: 'journal', why: 'the network is unknown' }];
  const folder = join(files.layout.here.state, 'networks', own.config.name);
  try {
    return readdirSync(folder).map((name) =>
      attempt(`journal/${name}`, () => Buffer.from(readRegularFile(join(folder, name))).toString('utf8')),
    );
  } catch (error) {
    return [{ name: 'journal', why: messageOf(error) }];
  }
}

function readLog({ own }: NodeFacts, files: NodeFiles): Collected {
  const path = own.kind === 'valid' ? own.config.log.filePath : undefined;
  if (path === undefined) return { name: 'log.txt', why: 'podwire has no log file (log_file_path)' };
  return attempt('log.txt', () =>
    readEnd(files.at(path))
      .split('\n')
      .slice(-MAX_LOG_LINES - 1)
      .join('\n'),
  );
}

function kernelStateOf({
  links,
  routes,
  addresses,
  journal,
  machine,
  packets,
  runtime,
}: NodeFacts): readonly Collected[] {
  const json = (name: string, value: unknown): Collected => ({
    name,
    text: `${JSON.stringify(value, undefined, 2)}\n`,
  });
  return [
    links.kind === 'unseen'
      ? { name: 'links.json', why: links.why }
      : json(
          'links.json',
          links.value.map((link) => ({ ...link, addresses: link.addresses.map(({ text }) => text) })),
        ),
    routes.kind === 'unseen'
      ? { name: 'routes.json', why: routes.why }
      : json(
          'routes.json',
          routes.value.map(({ destination, interfaceName }) => ({
            destination: formatCidr(destination),
            interfaceName,
          })),
        ),
    addresses.kind === 'unseen'
      ? { name: 'leases.json', why: addresses.why }
      : json('leases.json', {
          folder: addresses.value.folder,
          ranges: addresses.value.ranges.map(formatCidr),
          leases: addresses.value.leases.map(({ address, containerId, ageMs }) => ({
            address: address.text,
            containerId,
            ageMs,
          })),
        }),
    journal.kind === 'unseen'
      ? { name: 'attachments.json', why: journal.why }
      : json('attachments.json', journal.value),
    json('settings.json', {
      ...packets.sysctls,
      reversePathFilters: packets.reversePathFilters,
      counters: packets.counters,
      mtuFile: machine.mtuFile,
      gatewayProblem: machine.gatewayProblem,
    }),
    packets.firewall.kind === 'unseen'
      ? { name: 'forward-rules.json', why: packets.firewall.why }
      : json(
          'forward-rules.json',
          packets.firewall.value.map((chain) => ({ ...chain, chains: Object.fromEntries(chain.chains) })),
        ),
    runtime.kind === 'unseen' ? { name: 'runtime.json', why: runtime.why } : json('runtime.json', runtime.value),
  ];
}

function versionsOf({ runtime, api }: NodeFacts): string {
  return [
    `podwire ${PODWIRE_VERSION}`,
    `kernel ${release()} ${version()}`,
    `runtime ${runtime.kind === 'seen' ? runtime.value.name : 'unknown'}`,
    `kubernetes ${api.kind === 'seen' && api.value.answer.kind === 'ok' ? api.value.answer.version : 'unknown'}`,
    '',
  ].join('\n');
}

function attempt(name: string, read: () => string): Collected {
  try {
    return { name, text: read() };
  } catch (error) {
    return { name, why: messageOf(error) };
  }
}

async function run(name: string, program: string, args: readonly string[]): Promise<Collected> {
  try {
    return { name, text: (await promisify(execFile)(program, args, { timeout: 5000 })).stdout };
  } catch (error) {
    return { name, why: messageOf(error) };
  }
}

/** Writes a compressed archive, and returns its size. */
async function writeArchive(
  path: string,
  folder: string,
  contents: readonly { readonly name: string; readonly text: string }[],
): Promise<number> {
  const archive = pack();
  const output = createWriteStream(path, { mode: 0o600, flags: 'wx' });
  const ended = once(output, 'close');
  archive.pipe(createGzip()).pipe(output);
  for (const { name, text } of contents) archive.entry({ name: `${folder}/${name}`, mode: 0o600 }, text);
  archive.finalize();
  try {
    await ended;
  } catch (error) {
    throw new CommandError(`cannot write ${path}: ${messageOf(error)}`);
  }
  return output.bytesWritten;
}
