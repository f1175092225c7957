import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, realpathSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { NetworkNamespace } from '../../test/lab/namespaces/network-namespace.ts';

/** A way to test whether one namespace reaches another. */
export interface Probe {
  /** The command or protocol, for a person. */
  readonly description: string;
  /**
   * Sends a packet and waits for its reply.
   *
   * @param to the namespace that has the address
   * @returns the round-trip time, such as `0.281 ms`
   * @throws {Error} if there is no reply
   */
  reach(from: NetworkNamespace, to: NetworkNamespace, address: string): Promise<string>;
}

const TCP_ECHO_SCRIPT = join(import.meta.dirname, 'tcp-echo.ts');
const run = promisify(execFile);

/** Chooses ping if it works here, otherwise a TCP echo with a server in the other namespace. */
export async function chooseProbe(): Promise<Probe> {
  for (const command of [findProgram('ping', []), findProgram('busybox', ['ping'])]) {
    if (command === undefined) continue;
    const isWorking = await run(command.path, [...command.args, '-c', '1', '-W', '5', '127.0.0.1']).then(
      () => true,
      () => false,
    );
    if (isWorking) return pingWith(command);
  }
  return TCP_ECHO;
}

interface Command {
  readonly path: string;
  readonly args: readonly string[];
}

function findProgram(name: string, args: readonly string[]): Command | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
    } catch {
      continue;
    }
    // -n prevents a DNS lookup. busybox has no such option, because it never does one.
    const isBusybox = basename(realpathSync(path)).includes('busybox');
    return { path, args: isBusybox ? args : [...args, '-n'] };
  }
  return undefined;
}

function pingWith({ path, args }: Command): Probe {
  const command = [path, ...args.filter((arg) => arg !== '-n')].join(' ');
  return {
    description: command,
    async reach(from, _to, address) {
      const output = await from.exec(path, ...args, '-c', '1', '-W', '5', address).catch((cause: unknown) => {
        throw new Error(`no reply to ${command} ${address}`, { cause });
      });
      return /time=([\d.]+ ?ms)/.exec(output)?.[1] ?? 'replied';
    },
  };
}

const TCP_ECHO: Probe = {
  description: 'TCP echo with Node, because ping does not work here (package iputils-ping)',
  async reach(from, to, address) {
    const serve = [process.execPath, TCP_ECHO_SCRIPT, 'serve', address];
    const server = spawn('nsenter', [`--net=${to.path}`, '--', ...serve], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(server, 'close');
    try {
      const [port] = await Promise.race([once(server.stdout, 'data'), ended.then(() => [])]);
      if (port === undefined) throw new Error(`cannot listen on ${address}`);
      return (await from.exec(process.execPath, TCP_ECHO_SCRIPT, 'measure', address, String(port).trim())).trim();
    } catch (cause) {
      throw new Error(`no reply over TCP from ${address}`, { cause });
    } finally {
      server.stdin.end();
      await ended;
    }
  },
};
