import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { hostNamespace, namespaceOf, type NetworkNamespace, type Sandbox } from '../namespaces/network-namespace.ts';

/** A separate machine within the private namespace, with its own network, /run and /var/lib. */
export interface Machine extends NetworkNamespace, AsyncDisposable {
  /** A program and its first arguments, which run the rest of the command on this machine. */
  readonly within: readonly string[];
  /** The id of the process that keeps its namespaces. */
  readonly pid: number;
  /** The path of its `/` for this process. */
  readonly rootFolder: string;
  makeSandbox(name: string): Promise<MachineSandbox>;
}

/** A pod's network namespace on a machine. `path` is the path for this process. */
export interface MachineSandbox extends Sandbox {
  /** The path that the machine's runtime passes in CNI_NETNS. */
  readonly pathOnMachine: string;
}

const PRIVATE = join(import.meta.dirname, '..', '..', '..', 'scripts', 'in-private-namespace.sh');

/** Starts a machine that has no interface except `lo`. It ends with this process, also if this process is killed. */
export async function startMachine(): Promise<Machine> {
  const child = spawn('sh', [PRIVATE, '--', 'sh', '-c', 'ip link delete uplink && echo ready && exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true, // Ctrl-C must only end this process, which then cleans up
  });
  const exit = once(child, 'exit');
  const isReady = await Promise.race([once(child.stdout, 'data').then(() => true), exit.then(() => false)]);
  const { pid } = child;
  if (!isReady || pid === undefined)
    throw new Error('no namespaces within the private one; the reason is printed above');

  const within = ['nsenter', `--target=${pid}`, '--net', '--mount', '--'] as const;
  const rootFolder = `/proc/${pid}/root`;
  const [enter, ...words] = within;
  const exec: NetworkNamespace['exec'] = (program, ...args) => hostNamespace().exec(enter, ...words, program, ...args);
  return {
    ...namespaceOf(`/proc/${pid}/ns/net`, exec),
    within,
    pid,
    rootFolder,
    async makeSandbox(name) {
      const pathOnMachine = `/run/netns/${name}`;
      const make = 'mkdir -p /run/netns; : >"$1"; unshare --net="$1" ip link set lo up';
      await exec('sh', '-ec', make, 'sh', pathOnMachine);
      let removal: Promise<string> | undefined;
      const remove = async () => {
        await (removal ??= exec('sh', '-ec', 'umount --lazy "$1"; rm "$1"', 'sh', pathOnMachine));
      };
      const path = `${rootFolder}${pathOnMachine}`;
      const execInside: NetworkNamespace['exec'] = (program, ...args) =>
        hostNamespace().exec('nsenter', `--net=${path}`, '--', program, ...args);
      return { ...namespaceOf(path, execInside), pathOnMachine, remove, [Symbol.asyncDispose]: remove };
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exit;
    },
  };
}
