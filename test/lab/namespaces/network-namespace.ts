import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { assertPrivateNamespace } from './private-namespace.ts';

/** A network namespace that is inspected and changed with iproute2, and not with podwire's code. */
export interface NetworkNamespace {
  /** The path of its file, which a runtime passes in CNI_NETNS. */
  readonly path: string;
  /** Runs `ip -json` with these arguments. Returns its parsed output; `[]` for a command that prints nothing. */
  ip(...args: readonly string[]): Promise<readonly unknown[]>;
  /**
   * Runs a program in the namespace, and returns its stdout.
   *
   * @throws {Error} with its stderr, if its status is not 0
   */
  exec(program: string, ...args: readonly string[]): Promise<string>;
  /**
   * Reads a sysctl. It is named by its path below /proc/sys, `net/ipv4/conf/eth0/forwarding`, because names of
   * interfaces can contain dots.
   */
  readSysctl(path: string): Promise<string>;
}

/** A pod's network namespace. */
export interface Sandbox extends NetworkNamespace, AsyncDisposable {
  /**
   * Removes it as a runtime does, early or when it is disposed of. When this resolves, its file has been removed; the
   * kernel deletes its interfaces, and their peers on the host, a moment later.
   */
  remove(): Promise<void>;
}

/**
 * Creates a network namespace, whose `lo` is down, with a file on the private /run.
 *
 * @throws {Error} outside scripts/in-private-namespace.sh
 */
export async function makeSandbox(): Promise<Sandbox> {
  assertPrivateNamespace();
  const folder = await mkdtemp('/run/podwire-sandbox-');
  const path = join(folder, 'net');
  await writeFile(path, '');
  await run('unshare', [`--net=${path}`, 'true']);
  let removal: Promise<void> | undefined;
  const remove = () => (removal ??= unmount(path, folder));
  return { ...namespaceAt(path), remove, [Symbol.asyncDispose]: remove };
}

/**
 * The network namespace of this process, which stands for the node's.
 *
 * @throws {Error} outside scripts/in-private-namespace.sh
 */
export function hostNamespace(): NetworkNamespace {
  assertPrivateNamespace();
  return namespaceAt(`/proc/${process.pid}/ns/net`);
}

function namespaceAt(path: string): NetworkNamespace {
  return namespaceOf(path, (program, ...args) => run('nsenter', [`--net=${path}`, '--', program, ...args]));
}

/** The network namespace at a path, in which `exec` runs programs. */
export function namespaceOf(path: string, exec: NetworkNamespace['exec']): NetworkNamespace {
  return {
    path,
    exec,
    async ip(...args) {
      const answer = await exec('ip', '-json', ...args);
      const parsed: unknown = answer.trim() === '' ? [] : JSON.parse(answer);
      if (!isArray(parsed)) throw new Error(`ip -json ${args.join(' ')} answered ${answer}`);
      return parsed;
    },
    async readSysctl(sysctl) {
      return (await exec('cat', `/proc/sys/${sysctl}`)).trim();
    },
  };
}

function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

async function unmount(path: string, folder: string): Promise<void> {
  // Unmounts lazily: a descriptor that a test still holds keeps the namespace, but must not keep the file.
  await run('umount', ['--lazy', path]);
  await rm(folder, { recursive: true });
}

const execute = promisify(execFile);

/** The package of a program that has another name. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nft: 'nftables',
  nsenter: 'util-linux',
  ping: 'iputils-ping',
  sysctl: 'procps',
  tc: 'iproute2',
  unshare: 'util-linux',
};

async function run(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await execute(program, args, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    // If a program that should run in a namespace is missing, nsenter reports it.
    const missing = /spawn (\w+) ENOENT|failed to execute (\w+): No such file/.exec(String(error));
    const name = missing?.[1] ?? missing?.[2];
    if (name === undefined) throw error;
    throw new Error(`${name} is missing: apt-get install ${PACKAGES[name] ?? name}`, { cause: error });
  }
}
