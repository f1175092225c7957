import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary folder and the servers that use it. Neither outlives this process, however it ends. */
export interface ServerProcesses extends AsyncDisposable {
  readonly folder: string;
  /** Starts a server whose output goes to `<name>.log` in the folder. */
  start(name: string, program: string, args: readonly string[]): Promise<void>;
  /** Rejects with the end of its log when one of the servers ends unexpectedly; it never resolves. */
  readonly failure: Promise<never>;
  /** The last lines of every server's log. */
  readLogs(): Promise<string>;
}

/**
 * Three things ensure that nothing remains: a server is killed with the thread that started it (`setpriv
 * --pdeathsig`), it holds one end of a pipe, and at the other end a shell deletes the folder when no process holds
 * the pipe.
 */
export async function makeServerProcesses(prefix: string): Promise<ServerProcesses> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  const undertaker = spawn('sh', ['-c', 'cat >/dev/null; exec rm -rf -- "$1"', 'sh', folder], {
    cwd: '/',
    detached: true, // not in our process group, which Ctrl-C ends
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(undertaker, 'spawn');
  undertaker.unref();
  const { stdin: lifeline } = undertaker;
  if (lifeline instanceof Socket) lifeline.unref(); // typed as any stream, it is a socket
  const servers = new Map<string, ChildProcess>();
  const { promise: failure, reject } = Promise.withResolvers<never>();
  failure.catch(() => {}); // it may come when no caller awaits it
  let stopping = false;

  const readLogs = async () => {
    const logs = [...servers.keys()].map(async (name) => {
      const text = await readFile(join(folder, `${name}.log`), 'utf8').catch(() => '');
      return `--- ${name}\n${text.trimEnd().split('\n').slice(-15).join('\n')}`;
    });
    return (await Promise.all(logs)).join('\n');
  };

  return {
    folder,
    failure,
    readLogs,
    async start(name, program, args) {
      await using log = await open(join(folder, `${name}.log`), 'a', 0o600);
      const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], {
        cwd: folder,
        stdio: ['ignore', log.fd, log.fd, lifeline],
      });
      servers.set(name, child);
      child.on('exit', (status, signal) => {
        if (stopping) return;
        readLogs().then((logs) => reject(new Error(`${name} ended with ${signal ?? status}\n${logs}`)), reject);
      });
      await once(child, 'spawn');
      child.unref();
    },
    async [Symbol.asyncDispose]() {
      stopping = true;
      await Promise.all([...servers.values()].map(kill));
      undertaker.ref();
      lifeline.end();
      if (undertaker.exitCode === null) await once(undertaker, 'exit');
    },
  };
}

/** Servers that can be stopped and restarted. The processes that they have started continue to run. */
export interface RestartableServers extends AsyncDisposable {
  /** Kills the servers. */
  stop(): Promise<void>;
  /** Kills the servers if they run, and starts them again. */
  restart(): Promise<void>;
  readLogs(): Promise<string>;
}

/** @param start starts them, and waits until they are of use */
export async function startRestartable(start: () => Promise<ServerProcesses>): Promise<RestartableServers> {
  let running = await start();
  return {
    readLogs: () => running.readLogs(),
    async stop() {
      await running[Symbol.asyncDispose]();
    },
    async restart() {
      await running[Symbol.asyncDispose]();
      running = await start();
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** True if a server answers a GET with a successful status within a second. */
export function answersOk(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(1000) }).then(
    (answer) => answer.ok,
    () => false,
  );
}

/** Finds `count` different TCP ports that are free at this moment. */
export async function freePorts(address: string, count: number): Promise<readonly number[]> {
  const listeners = await Promise.all(
    Array.from({ length: count }, async () => {
      const listener = createServer().listen(0, address);
      await once(listener, 'listening');
      return listener;
    }),
  );
  const ports = listeners.map((listener) => {
    const bound = listener.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  });
  await Promise.all(listeners.map((listener) => listener[Symbol.asyncDispose]()));
  return ports;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const exit = once(child, 'exit');
  // The servers have no state worth saving, and a graceful end takes kube-apiserver seconds.
  child.kill('SIGKILL');
  await exit;
}
