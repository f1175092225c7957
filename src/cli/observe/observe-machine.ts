import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { LinkFact, MachineFacts, ManagedInterface, Seen } from '../../diagnosis/facts.ts';
import { GATEWAYS } from '../../plan/attachment-steps.ts';
import { openKernel } from '../../kernel/kernel.ts';
import { messageOf } from '../../system/error-text.ts';
import type { NodeFiles } from './node-files.ts';
import { statFile } from './stat-file.ts';
import { readRegularFile } from './read-regular-file.ts';
import { observeNativeFolder } from './observe-native-folder.ts';
import { observeDenials } from './observe-denials.ts';

/** Reads settings and files of the machine. */
export async function observeMachine(
  files: NodeFiles,
  links: readonly LinkFact[],
  { prefix, executablePath }: { readonly prefix: string; readonly executablePath: string },
): Promise<MachineFacts> {
  return {
    gatewayProblem: await findGatewayProblem(),
    mtuFile: readMtuFile(files.at('/var/lib/calico/mtu')),
    managedInterfaces: links
      .filter(({ name }) => name.startsWith(prefix))
      .flatMap(({ name, index }) => managersOf(index, files).map((manager) => ({ name, manager }))),
    disk: readDisk(files.layout.here.state, files.at('/var/lib')),
    isSameProgram: isSameProgram(executablePath, join(files.layout.here.programs, 'podwire')),
    nativeFolder: await observeNativeFolder(files),
    denials: observeDenials(files),
    isRoot: statFile('/proc/self')?.uid === 0,
    nodeRoot: files.root,
  };
}

async function findGatewayProblem(): Promise<Seen<string | undefined>> {
  try {
    await using kernel = openKernel();
    return { kind: 'seen', value: await kernel.findGatewayProblem(GATEWAYS.ipv4) };
  } catch (error) {
    return { kind: 'unseen', why: messageOf(error) };
  }
}

function readTrimmed(path: string): string | undefined {
  try {
    return Buffer.from(readRegularFile(path)).toString('utf8').trim();
  } catch {
    return undefined;
  }
}

function readMtuFile(path: string): MachineFacts['mtuFile'] {
  const bytes = Number(readTrimmed(path) ?? Number.NaN);
  const stats = statFile(path);
  return stats === undefined || !(bytes >= 68) ? undefined : { bytes, writtenMs: stats.mtimeMs };
}

/**
 * The network managers that manage an interface. Each writes a file for each interface that it knows.
 *
 * @see networkctl(1), setup states
 */
function managersOf(index: number, files: NodeFiles): readonly ManagedInterface['manager'][] {
  const contains = (path: string, pattern: RegExp) => pattern.test(readTrimmed(files.at(path)) ?? '');
  return [
    ...(contains(`/run/NetworkManager/devices/${index}`, /^managed=true$/m) ? ['NetworkManager' as const] : []),
    ...(contains(`/run/systemd/netif/links/${index}`, /^ADMIN_STATE=(configuring|configured|failed)$/m)
      ? ['systemd-networkd' as const]
      : []),
  ];
}

function readDisk(...paths: readonly string[]): MachineFacts['disk'] {
  for (const path of paths) {
    try {
      const { bavail, bsize, ffree } = statfsSync(path);
      return { freeBytes: bavail * bsize, freeInodes: ffree };
    } catch {
      // The next folder may exist.
    }
  }
  return undefined;
}

// Equal sizes are enough: two builds differ in it, and reading 111 MB twice takes a second.
function isSameProgram(one: string, other: string): boolean | undefined {
  const [ours, installed] = [one, other].map((path) => statFile(path));
  if (ours === undefined || installed === undefined) return undefined;
  return ours.size === installed.size;
}
