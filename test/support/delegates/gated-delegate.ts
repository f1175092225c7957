import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * An IPAM plugin that stops in the middle of an ADD until it is released, so that a test can change something in the
 * meantime.
 */
export interface GatedDelegate extends Disposable {
  /** The folder to pass in CNI_PATH. */
  readonly folder: string;
  /** Resolves when an ADD has stopped at the gate. */
  readonly arrived: Promise<unknown>;
  /** Lets the ADD continue. */
  release(): void;
  /** The calls that have begun: `ADD`, `DEL`. */
  calls(): Promise<readonly string[]>;
}

/**
 * Creates a plugin below `folder` that runs host-local. Only its first ADD stops, before or after the address is
 * allocated.
 *
 * @param hostLocalFolder the folder of the real host-local
 */
export async function makeGatedDelegate(
  folder: string,
  hostLocalFolder: string,
  moment: 'before' | 'after',
): Promise<GatedDelegate> {
  const own = join(folder, `gated-${moment}-${process.hrtime.bigint()}`);
  const here = join(own, 'here');
  const go = join(own, 'go');
  const calls = join(own, 'calls');
  const program = join(own, 'host-local');
  await mkdir(own);
  await promisify(execFile)('mkfifo', [here, go]);
  // Opened for both directions, a FIFO does not wait for the other end.
  const gate = openSync(go, constants.O_RDWR | constants.O_NONBLOCK);
  const arrival = new Socket({ fd: openSync(here, constants.O_RDWR | constants.O_NONBLOCK) });
  const wait = `if mkdir ${own}/first 2>/dev/null; then echo here > ${here}; read -r line < ${go}; fi`;
  const run = `printf '%s' "$stdin" | ${hostLocalFolder}/host-local > "$answer"; status=$?`;
  const add = moment === 'before' ? `${wait}; ${run}` : `${run}; ${wait}`;
  const script = `#!/bin/sh
read -r stdin
answer=${own}/answer.$$
echo "$CNI_COMMAND" >> ${calls}
case $CNI_COMMAND in
ADD) ${add} ;;
*) ${run} ;;
esac
cat "$answer"
exit $status
`;
  await writeFile(program, script);
  await chmod(program, 0o755);
  return {
    folder: own,
    arrived: once(arrival, 'data'),
    release: () => void writeSync(gate, 'go\n'),
    calls: async () => (await readFile(calls, 'utf8').catch(() => '')).split('\n').filter((line) => line !== ''),
    [Symbol.dispose]: () => {
      arrival.destroy();
      closeSync(gate);
    },
  };
}
