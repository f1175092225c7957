import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One boot of a node, with a boot id in /proc. */
export interface Boot {
  /**
   * A program and its first arguments, which run the rest of the command in this boot: in a mount namespace whose
   * /proc has the boot's id.
   */
  readonly within: readonly string[];
}

/** Starts a boot. The caller deletes the links of earlier boots. */
export function makeBoot(folder: string): Boot {
  const id = randomUUID();
  const path = join(folder, `boot-${id}`);
  writeFileSync(path, `${id}\n`);
  const script = `mount --bind ${path} /proc/sys/kernel/random/boot_id; exec "$@"`;
  return { within: ['unshare', '--mount', 'sh', '-ec', script, 'sh'] };
}
