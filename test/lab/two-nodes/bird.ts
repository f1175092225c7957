import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { families, type ClusterNode, type FamilyName } from './two-nodes.ts';
import { until } from '../until.ts';

/** BIRD on a node. Disposing of it stops it in the same way as its service does. */
export interface Bird extends AsyncDisposable {
  /** Runs a command of birdc, and returns its output. */
  ask(...words: readonly string[]): Promise<string>;
  /** The destinations that `show route` prints with these arguments. */
  destinations(...words: readonly string[]): Promise<readonly string[]>;
  /**
   * Waits for the sessions.
   *
   * @throws {Error} if a session is not established before the deadline of `until`
   */
  established(): Promise<void>;
}

/** BIRD's names for each family. */
export function birdNames(family: FamilyName): { readonly kernel: string; readonly bgp: string } {
  return { kernel: `kernel_${family}`, bgp: `bgp_${family}` };
}

/** What BIRD does with its routes in the kernel when it ends. The agent's BIRD keeps them. */
export type RoutesAtEnd = 'removed' | 'kept';

/** Starts BIRD with one session for each family, to one peer. */
export async function startBird(
  path: string,
  node: ClusterNode,
  peer: ClusterNode,
  atEnd: RoutesAtEnd = 'removed',
): Promise<Bird> {
  const { machine } = node;
  const folder = '/run/bird';
  const socket = '/run/bird/bird.ctl';
  await mkdir(join(machine.rootFolder, folder), { recursive: true });
  await writeFile(join(machine.rootFolder, folder, 'bird.conf'), formatBirdConfig(node, peer, atEnd));
  const command = [path, '-f', '-c', `${folder}/bird.conf`, '-s', socket, '-P', `${folder}/bird.pid`];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...machine.within, ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // Ctrl-C must only end this process
  });
  const exit = once(child, 'exit');
  let logged = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (logged += text));
  const ask: Bird['ask'] = (...words) => machine.exec(join(dirname(path), 'birdc'), '-s', socket, ...words);
  const answers = async (...words: readonly string[]) => {
    if (child.exitCode !== null) throw new Error(`BIRD of ${node.name} has ended: ${logged.trimEnd()}`);
    return ask(...words).catch(() => ''); // BIRD may not listen yet
  };
  return {
    ask,
    destinations: async (...words) =>
      [...(await ask('show', 'route', ...words)).matchAll(/^([0-9a-f.:]+\/\d+) /gm)].map(([, found]) => found ?? ''),
    async established() {
      for (const { name } of families())
        await until(`a BGP session of ${node.name} by ${name}`, async () =>
          (await answers('show', 'protocols', birdNames(name).bgp)).includes('Established'),
        );
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exit;
    },
  };
}

// The agent's configuration of BIRD, as far as it concerns the plugin: `learn` imports the plugin's host routes from
// the kernel.
function formatBirdConfig(node: ClusterNode, peer: ClusterNode, atEnd: RoutesAtEnd): string {
  const ofFamily = ({ name }: { readonly name: FamilyName }) => {
    const { kernel, bgp } = birdNames(name);
    const podCidr = node.podCidrs[name];
    return `
protocol static static_${name} { ${name}; route ${podCidr} blackhole; }
protocol kernel ${kernel} {
  learn;${atEnd === 'kept' ? ' persist;' : ''}
  ${name} { import all; export where source ~ [RTS_STATIC, RTS_BGP]; };
}
protocol bgp ${bgp} {
  local ${node.addresses[name]} as 64512;
  neighbor ${peer.addresses[name]} as 64512;
  connect delay time 1;
  connect retry time 1;
  ${name} { import all; export where net = ${podCidr}; next hop self; };
}
`;
  };
  const channels = families().map(({ name }) => `${name};`);
  return `router id ${node.addresses.ipv4};
log stderr all;
protocol device {}
protocol direct { ${channels.join(' ')} interface -"cali*", "*"; }
${families().map(ofFamily).join('')}`;
}
