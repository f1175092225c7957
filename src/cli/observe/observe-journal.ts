import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { JournalFacts, RecordFact } from '../../diagnosis/facts.ts';
import { openJournal, type JournalItem } from '../../journal/journal.ts';
import { isNamespaceFile } from '../../kernel/sandbox-descriptor.ts';
import type { NodeFiles } from './node-files.ts';
import { statFile } from './stat-file.ts';

/** Endpoints that are cleared later are normal for this long. */
const PENDING_MS = 10 * 60_000;

/** Reads the records of a network. It changes nothing. */
export function observeJournal(network: string, files: NodeFiles): JournalFacts {
  const folder = files.layout.here.state;
  const journal = openJournal(
    network,
    { warning: () => undefined },
    { records: folder, rejected: '/run/podwire/rejected' },
  );
  const items = journal.list();
  const attachments = items.flatMap((item): readonly RecordFact[] => {
    if (item.kind === 'damaged') return [];
    const { attachment, stage } = item.record;
    const { pod, hostInterface, sandboxPath, id } = attachment;
    return [
      {
        containerId: id.containerId,
        interfaceName: id.interfaceName,
        pod: pod === undefined ? '' : `${pod.namespace}/${pod.name}`,
        hostInterface: hostInterface.name,
        stage,
        isOfEarlierBoot: journal.isOfEarlierBoot(item.record),
        hasSandbox: hasSandbox(sandboxPath, files),
        startedMs: recordTimeMs(folder, network, item),
      },
    ];
  });
  const pending = journal.listEndpoints().filter((item) => journal.endpointAgeMs(item) > PENDING_MS);
  return {
    attachments,
    damaged: items.flatMap((item) =>
      item.kind === 'damaged' ? [{ ...item.id, writtenMs: recordTimeMs(folder, network, item) }] : [],
    ),
    pendingEndpointCount: pending.length,
  };
}

// From within a container, the files of sandboxes are not mounted.
function hasSandbox(path: string, files: NodeFiles): boolean | undefined {
  if (path === '' || files.root !== '/') return undefined;
  return isNamespaceFile(path) ? true : existsSync(dirname(dirname(path))) ? false : undefined;
}

function recordTimeMs(folder: string, network: string, { id }: JournalItem): number {
  const name = `${id.containerId}@${id.interfaceName}.record.json`;
  return statFile(join(folder, 'networks', network, name))?.mtimeMs ?? 0;
}
