import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentProcess, ProcessFacts } from '../../diagnosis/packet-facts.ts';

/**
 * Finds the processes that the checks ask about.
 *
 * @param folder `/proc`
 */
export function observeProcesses(folder = '/proc'): ProcessFacts {
  const processes = listProcesses(folder);
  const agent = processes.find(({ args }) => isNamed(args, 'calico-node') && args.includes('-felix'));
  return {
    agent: agent && describeAgent(agent.id, folder),
    tokenWriters: [...new Set(processes.flatMap(({ args }) => tokenWriterOf(args) ?? []))],
    timeService: processes.map(({ args: [path = ''] }) => nameOf(path)).find((name) => TIME_SERVICES.test(name)),
    hasBird: processes.some(({ args }) => isNamed(args, 'bird') || isNamed(args, 'bird6')),
  };
}

interface Process {
  readonly id: string;
  readonly args: readonly string[];
}

function listProcesses(folder: string): readonly Process[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map((id) => ({ id, args: readParts(join(folder, id, 'cmdline')) }));
  } catch {
    return [];
  }
}

/** The parts of a file of /proc, which end with NUL. */
function readParts(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\0');
  } catch {
    return [];
  }
}

const TIME_SERVICES = /^(chronyd|ntpd|openntpd|systemd-timesyncd)$/;

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function isNamed([path = '']: readonly string[], name: string): boolean {
  return nameOf(path) === name;
}

// calico-node does it with CALICO_MANAGE_CNI=true, and podwire under the names of Calico.
function tokenWriterOf(args: readonly string[]): string | undefined {
  if (isNamed(args, 'calico-node') && args.includes('-monitor-token')) return 'calico-node -monitor-token';
  const isRenewer = isNamed(args, 'podwire') && args[1] === 'install' && args.includes('--watch');
  return isRenewer && args.includes('--as-calico') ? 'podwire install --watch --as-calico' : undefined;
}

function describeAgent(id: string, folder: string): AgentProcess {
  const variables = readParts(join(folder, id, 'environ'));
  const read = (name: string) => variables.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
  return {
    prefix: read('FELIX_INTERFACEPREFIX') ?? 'cali',
    ignoresLooseFilter: /^(1|t|true)$/i.test(read('FELIX_IGNORELOOSERPF') ?? ''),
  };
}
