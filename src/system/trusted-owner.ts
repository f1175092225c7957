import { readFileSync } from 'node:fs';

/**
 * Whether a file of this user can only have been written by root.
 *
 * In a user namespace that does not map every user, the files of the machine's root show the overflow uid (proc(5),
 * overflowuid). On the whole machine that uid is an ordinary user, who is not trusted.
 */
export function isOwnedByRoot({ uid }: { readonly uid: number }): boolean {
  return uid === 0 || uid === overflowIdOf('uid');
}

/** The same for its group, which has no members but root. */
export function isOwnedByRootGroup({ gid }: { readonly gid: number }): boolean {
  return gid === 0 || gid === overflowIdOf('gid');
}

function overflowIdOf(kind: 'uid' | 'gid'): number | undefined {
  const isEveryIdMapped = /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync(`/proc/self/${kind}_map`, 'utf8'));
  return isEveryIdMapped ? undefined : Number(readFileSync(`/proc/sys/kernel/overflow${kind}`, 'utf8'));
}
