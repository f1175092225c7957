import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Programs that tests take from the machine, and the Debian packages that have them. */
const PACKAGES = {
  ping: 'iputils-ping',
  strace: 'strace',
  iptables: 'iptables',
  nft: 'nftables',
  tc: 'iproute2',
  'qemu-aarch64': 'qemu-user',
  runc: 'runc',
  // Linked statically, as an image with nothing else in it needs it; busybox itself is another package's.
  busybox: 'busybox-static',
} as const;

/**
 * Installs what is missing of the machine's programs, where that can be done without asking: by root, with apt-get.
 *
 * @param say is called with what is installed, or the command that would do it; a test that needs the program then fails and says so again
 */
export async function ensureSystemPackages(say: (line: string) => void): Promise<void> {
  const found = await Promise.all(Object.keys(PACKAGES).map(isInstalled));
  const missing = Object.values(PACKAGES).filter((_, index) => found[index] !== true);
  if (missing.length === 0) return;
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  say(`apt-get ${install.join(' ')}`);
  // A machine that never fetched its package lists has no package to install.
  await run('apt-get', install)
    .catch(async () => {
      await run('apt-get', ['update']);
      await run('apt-get', install);
    })
    .catch((error: unknown) => say(`not installed, do it by hand: ${String(error).split('\n')[0]}`));
}

async function isInstalled(program: string): Promise<boolean> {
  return run('sh', ['-c', 'command -v "$1"', 'sh', program]).then(
    () => true,
    () => false,
  );
}
