import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { NetworkNamespace } from '../../lab/namespaces/network-namespace.ts';
import { until } from '../../lab/until.ts';

/** Pings that go on until they are ended. */
export interface SteadyPing {
  /** Resolves when so many more have come back. */
  more(count: number): Promise<void>;
  /**
   * Ends them.
   *
   * @returns how many came back, and the numbers of those that did not; the last one sent may still be under way
   */
  end(): Promise<{ readonly received: number; readonly lost: readonly number[] }>;
}

/** Pings from a namespace, ten times a second. */
export async function startSteadyPing(from: NetworkNamespace, address: string): Promise<SteadyPing> {
  const words = [`--net=${from.path}`, '--', 'ping', '-n', '-i', '0.1', address];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'nsenter', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  const exit = once(child, 'close');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const numbers = () => [...said.matchAll(/^\d+ bytes from .*icmp_seq=(\d+)/gm)].map(([, number]) => Number(number));
  const more = async (count: number) => {
    const wanted = numbers().length + count;
    await until(`${count} pings to ${address} have come back`, () => numbers().length >= wanted);
  };
  await more(1);
  return {
    more,
    async end() {
      child.kill('SIGINT');
      await exit;
      const came = new Set(numbers());
      const sent = Number(/^(\d+) packets transmitted/m.exec(said)?.[1] ?? Number.NaN);
      const lost = Array.from({ length: sent - 1 }, (_, index) => index + 1).filter((number) => !came.has(number));
      return { received: came.size, lost };
    },
  };
}
