import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One boot of a node: its id is what the kernel says in /proc. */
export interface Boot {
  /** A program and its first arguments, before one that is to run in this boot: in a mount namespace whose /proc has the boot's id. */
  readonly within: readonly string[];
}

/** A boot that begins now. The links of earlier ones are the caller's to delete. */
export function makeBoot(folder: string): Boot {
  const id = randomUUID();
  const path = join(folder, `boot-${id}`);
  writeFileSync(path, `${id}\n`);
  const script = `mount --bind ${path} /proc/sys/kernel/random/boot_id; exec "$@"`;
  return { within: ['unshare', '--mount', 'sh', '-ec', script, 'sh'] };
}
