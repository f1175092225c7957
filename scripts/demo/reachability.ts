import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, realpathSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { NetworkNamespace } from '../../test/lab/namespaces/network-namespace.ts';

/** A way to find out whether one namespace reaches another. */
export interface Probe {
  /** What it is, for a person. */
  readonly description: string;
  /**
   * @param to where the address is
   * @returns the time that it took there and back
   * @throws {Error} if nothing comes back
   */
  reach(from: NetworkNamespace, to: NetworkNamespace, address: string): Promise<string>;
}

const ECHO = join(import.meta.dirname, 'tcp-echo.ts');
const run = promisify(execFile);

/** ping, if there is one that works here, else TCP with a server of our own in the namespace that is to be reached. */
export async function chooseProbe(): Promise<Probe> {
  for (const command of [findProgram('ping', []), findProgram('busybox', ['ping'])]) {
    if (command === undefined) continue;
    const isWorking = await run(command.path, [...command.words, '-c', '1', '-W', '5', '127.0.0.1']).then(
      () => true,
      () => false,
    );
    if (isWorking) return pingWith(command);
  }
  return TCP_ECHO;
}

interface Command {
  readonly path: string;
  readonly words: readonly string[];
}

function findProgram(name: string, words: readonly string[]): Command | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
    } catch {
      continue;
    }
    // busybox has no -n, which keeps others from asking DNS for a name; it does not ask.
    return { path, words: [...words, ...(basename(realpathSync(path)).includes('busybox') ? [] : ['-n'])] };
  }
  return undefined;
}

function pingWith({ path, words }: Command): Probe {
  const command = [path, ...words.filter((word) => word !== '-n')].join(' ');
  return {
    description: command,
    async reach(from, _to, address) {
      const answer = await from.exec(path, ...words, '-c', '1', '-W', '5', address).catch((cause: unknown) => {
        throw new Error(`no answer to ${command} ${address}`, { cause });
      });
      return /time=([\d.]+ ?ms)/.exec(answer)?.[1] ?? 'an answer';
    },
  };
}

const TCP_ECHO: Probe = {
  description: 'TCP echo with Node, because there is no working ping here (package iputils-ping)',
  async reach(from, to, address) {
    const [command, ...words] = ['nsenter', `--net=${to.path}`, '--', process.execPath, ECHO, 'serve', address];
    const server = spawn(command, words, {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(server, 'close');
    try {
      const [port] = await Promise.race([once(server.stdout, 'data'), ended.then(() => [])]);
      if (port === undefined) throw new Error(`nothing can listen on ${address}`);
      return (await from.exec(process.execPath, ECHO, 'ask', address, String(port).trim())).trim();
    } catch (cause) {
      throw new Error(`no answer over TCP from ${address}`, { cause });
    } finally {
      server.stdin.end();
      await ended;
    }
  },
};
