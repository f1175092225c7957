import { readFileSync, readlinkSync } from 'node:fs';

const MARKER = '/run/podwire-private-namespace';

/**
 * Checks that this process runs below scripts/in-private-namespace.sh: what the caller does to interfaces, routes,
 * /run or /var/lib then does not affect the machine.
 *
 * @throws {Error} on the machine itself, with the command to use
 */
export function assertPrivateNamespace(): void {
  if (readMarker() === readlinkSync('/proc/self/ns/net')) return;
  throw new Error(
    "this would change the machine's own network: start it as `scripts/in-private-namespace.sh -- <command>`",
  );
}

function readMarker(): string | undefined {
  try {
    return readFileSync(MARKER, 'utf8').trim();
  } catch {
    return undefined;
  }
}
