import { readFileSync, statSync } from 'node:fs';
import { KernelError } from './kernel-error.ts';
import type { LibcLoader } from './libc.ts';

/** What distinguishes one boot of a node from another. */
export interface BootIdentity {
  /** The boot of the kernel. Nodes that are containers share it, and keep it when they are restarted. */
  readonly bootId: string;
  /** The node's network namespace, which a node that is a container gets again at each restart. `undefined` in what version 0.1 wrote. */
  readonly hostNetns: string | undefined;
}

/**
 * The current boot of this node: its links exist as long as this stays the same.
 *
 * It does not depend on pid 1: a runtime can call podwire from another PID namespace (a DaemonSet without hostPID), where pid 1 is a
 * different process, and its start is not the node's. The network namespace is always the node's own, or the plugin could not work.
 *
 * @throws {KernelError}
 */
export function readBootIdentity(libc: LibcLoader): BootIdentity {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return { bootId, hostNetns: readHostNetns(libc) };
}

/** True unless the two are certainly different boots: a boot that is mistaken for an earlier one would cost living pods their addresses. */
export function isSameBoot(one: BootIdentity, other: BootIdentity): boolean {
  if (one.bootId !== other.bootId) return false;
  const [a, b] = [one.hostNetns, other.hostNetns];
  if (a === undefined || b === undefined || kindOf(a) !== kindOf(b)) return true;
  return a === b;
}

function kindOf(hostNetns: string): string | undefined {
  return hostNetns.split(':')[0];
}

// The kernel gives the inode of a deleted namespace to the next one, but a cookie only once (SO_NETNS_COOKIE, since 5.14).
function readHostNetns(libc: LibcLoader): string {
  try {
    return `cookie:${libc.load().readNetnsCookie()}`;
  } catch (error) {
    if (!(error instanceof KernelError) || error.errnoName !== 'ENOPROTOOPT') throw error;
    return `inode:${statSync('/proc/self/ns/net').ino}`;
  }
}
