import { describe, expect, it } from 'vitest';
import { startDeadline } from '../../src/cluster/wire/deadline.ts';
import { sha1 } from '../../src/system/sha1.ts';
import { formatRefusalEvent, reportRefusal } from '../../src/telemetry/refusal-event.ts';

const POD = { namespace: 'default', name: 'web' };
const UID = 'a2e1d6a4-2f62-4d0e-a3ab-1c62d4b0c0de';
const event = (message: string, name = 'web') =>
  formatRefusalEvent({
    pod: { ...POD, name },
    podUid: UID,
    message,
    nodeName: 'node-1',
    now: new Date('2026-11-22T05:45:59.123Z'),
    sha1,
  });

describe('the event about a refused pod', () => {
  it('is about this pod, and says why', () =>
    expect(event('remove the annotation')).toMatchObject({
      involvedObject: { kind: 'Pod', ...POD, uid: UID },
      type: 'Warning',
      reason: 'NetworkRefused',
      message: 'remove the annotation',
      source: { component: 'podwire', host: 'node-1' },
      firstTimestamp: '2026-11-22T05:45:59Z',
    }));
  it('has the same name for the same refusal only', () => {
    expect(event('a').metadata).toEqual(event('a').metadata);
    expect(event('a').metadata).not.toEqual(event('b').metadata);
  });
  it('has a name and a message that the API server accepts, for every pod', () => {
    const { metadata, message } = event('x'.repeat(5000), `a${'.b'.repeat(126)}`);
    expect(metadata.name).toMatch(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/);
    expect(message).toHaveLength(1024);
  });
});

describe('reporting', () => {
  const report = async (createEvent: () => Promise<number>, podUid: string | undefined = UID) => {
    const lines: string[] = [];
    using deadline = startDeadline(100);
    await reportRefusal({ pod: POD, podUid, raw: '' }, 'no', deadline, {
      agent: { nodeName: () => 'node-1' },
      cluster: { createEvent },
      log: { debug: (line) => void lines.push(line) },
      sha1,
    });
    return lines;
  };
  it('says what the API server answered', async () =>
    expect(await report(async () => 403)).toEqual([expect.stringContaining('answered 403')]));
  it('never fails', async () =>
    expect(await report(() => Promise.reject(new Error('reset')))).toEqual([expect.stringContaining('reset')]));
});
