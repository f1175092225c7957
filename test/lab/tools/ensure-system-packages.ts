import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Programs of the machine that tests run, and the Debian packages that contain them. */
const PACKAGES = {
  ping: 'iputils-ping',
  jq: 'jq',
  strace: 'strace',
  iptables: 'iptables',
  nft: 'nftables',
  tc: 'iproute2',
  'qemu-aarch64': 'qemu-user',
  runc: 'runc',
  // The shells for which there are completion scripts.
  zsh: 'zsh',
  fish: 'fish',
  // The statically linked one, because the test's image contains nothing else.
  busybox: 'busybox-static',
} as const;

/**
 * Installs the missing programs with apt-get, if this process runs as root.
 *
 * @param say receives what is being installed, or the command that would install it. A test that needs a missing
 *   program fails and names it
 */
export async function ensureSystemPackages(say: (line: string) => void): Promise<void> {
  const found = await Promise.all(Object.keys(PACKAGES).map(isInstalled));
  const missing = Object.values(PACKAGES).filter((_, index) => found[index] !== true);
  if (missing.length === 0) return;
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  say(`apt-get ${install.join(' ')}`);
  // A machine without package lists finds no package to install.
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
