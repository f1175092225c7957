import { openCluster } from './cluster/cluster.ts';
import { readConnection } from './cluster/credentials/connection.ts';
import { startDeadline } from './cluster/wire/deadline.ts';
import type { Environment } from './cni/environment.ts';
import { CniError } from './cni/error.ts';
import { parseJsonObject } from './json/json.ts';
import { parseNetworkConfig, parseNetworkHeader } from './netconf/network-config.ts';
import { SUPPORTED_VERSIONS } from './cni/versions.ts';
import type { InstallIo } from './install/run-with-log.ts';
import { openLog } from './log/log.ts';
import type { LibcLoader } from './system/libc.ts';
import { ownLibraryFolder } from './system/native-addon.ts';
import { PODWIRE_VERSION } from './version.ts';

/** What a command line needs from the process. */
export interface CliIo {
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  /** The program's name as it was called, and its path. */
  readonly called: { readonly name: string; readonly executablePath: string };
  readonly environment: Environment;
  readonly readStdin: () => Uint8Array;
  readonly writeStdout: (text: string) => Promise<void>;
  readonly writeStderr: (text: string) => void;
  /** From then on a signal to terminate does not end the process, but aborts the returned signal. */
  readonly listenForTermination: () => AbortSignal;
  readonly libc: LibcLoader;
}

const USAGE = `podwire ${PODWIRE_VERSION}: a CNI plugin for Kubernetes clusters that use the Kubernetes API as their only datastore.

A container runtime calls it with CNI_COMMAND set and a network configuration on stdin. On the command line:
  podwire -v            print the version
  podwire -t < NETCONF  test whether the API server can be reached with this network configuration
  podwire install       install podwire on a node, from a pod; --watch renews its token, --root / is the node itself
  podwire uninstall     remove podwire from the node
To attach a sandbox manually, use cnitool.`;

/** `install` is the entry point that calico-node's DaemonSet runs when this image replaces Calico's. */
const ARGS_BY_PROGRAM_NAME: Readonly<Record<string, readonly string[]>> = {
  'install-cni': ['install'],
  install: ['install', '--as-calico'],
};

/**
 * Runs a command that a person, or the entry point of a container, calls.
 *
 * @returns the exit status
 */
export async function runCli(io: CliIo): Promise<number> {
  const called = [...(ARGS_BY_PROGRAM_NAME[io.called.name] ?? []), ...io.args];
  const [command, ...args] = called;
  switch (chosenFlag(called) ?? command) {
    case 'install':
      return (await import('./install/install.ts')).runInstall(installIo(io, args));
    case 'uninstall':
      return (await import('./install/uninstall.ts')).runUninstall(installIo(io, args));
    case '-v':
    case 'version':
      await io.writeStdout(
        `podwire ${PODWIRE_VERSION}\nCNI ${SUPPORTED_VERSIONS.join(' ')}\ncode cache: ${describeCodeCache()}\n` +
          `libraries: ${ownLibraryFolder() ?? 'those of this machine'}\n`,
      );
      return 0;
    case '-t':
      return testConnection(io);
    default:
      io.writeStderr(`${USAGE}\n`);
      return 1;
  }
}

/** The flag that Calico's plugin would obey: `-v` before `-t`. Undefined if an argument is something else. */
function chosenFlag(args: readonly string[]): '-v' | '-t' | undefined {
  const flags = args.map((word) => /^--?([tv])(?:=true)?$/.exec(word)?.[1]);
  if (flags.length === 0 || flags.includes(undefined)) return undefined;
  return flags.includes('v') ? '-v' : '-t';
}

function installIo({ called, listenForTermination, ...io }: CliIo, args: readonly string[]): InstallIo {
  return { ...io, args, executablePath: called.executablePath, signal: listenForTermination() };
}

// build/load-part.ts records it: a cache that V8 rejects costs time on every command, and nothing else reports it.
function describeCodeCache(): string {
  const parts: unknown = Reflect.get(globalThis, Symbol.for('podwire.parts'));
  const program: unknown = parts instanceof Map ? parts.get('podwire') : undefined;
  return isPart(program) ? program.codeCache : 'none';
}

function isPart(value: unknown): value is { readonly codeCache: string } {
  return typeof value === 'object' && value !== null && 'codeCache' in value && typeof value.codeCache === 'string';
}

async function testConnection(io: CliIo): Promise<number> {
  try {
    const config = parseNetworkConfig(parseNetworkHeader(parseJsonObject(io.readStdin())), io.environment);
    using log = openLog({ settings: { ...config.log, filePath: undefined }, context: {}, writeLine: io.writeStderr });
    using cluster = openCluster({
      connect: () => readConnection(config.connection, io.environment),
      budgets: config.budgets,
      log,
    });
    using deadline = startDeadline(config.budgets.addApiMs);
    const version = await cluster.probe(deadline);
    await io.writeStdout(`the API server answers: ${version}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    io.writeStderr(`${error.message}\n`);
    return 1;
  }
}
