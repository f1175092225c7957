import { describe, expect, it } from 'vitest';
import type { AttachmentReport, EndReport } from '../../src/cli/attachment-report.ts';
import { formatAttachment } from '../../src/cli/format-attachment.ts';
import { openTerminal } from '../../src/cli/terminal.ts';

const NOW = Date.UTC(2026, 10, 28, 12);
const END: EndReport = {
  name: 'eth0',
  mac: 'aa:bb:cc:dd:ee:ff',
  mtuBytes: 1500,
  addresses: ['10.0.0.2/32'],
  routes: [{ text: 'route 0.0.0.0/0 via 169.254.1.1', isAsPlanned: true }],
  settings: [
    { text: 'ipv4 proxy_arp=1', isAsPlanned: true },
    { text: 'ipv4 forwarding=0, expected 1', isAsPlanned: false },
  ],
  neighbors: [],
};
const REPORT: AttachmentReport = {
  schema: 1,
  node: 'node-1',
  network: 'k8s',
  pod: 'default/web',
  container: 'c'.repeat(64),
  interface: 'eth0',
  stage: 'attached',
  startedAt: new Date(NOW - 60_000).toISOString(),
  sandbox: { path: '/run/netns/x', state: 'exists' },
  host: { ...END, name: 'cali1' },
  inside: END,
  leases: [{ address: '10.0.0.2', file: '/l' }],
  record: '/var/lib/podwire/r.json',
  endpoint: { addresses: '10.0.0.2/32', state: 'as planned', why: '' },
  policy: 'in force',
  differences: [{ what: 'route to 10.0.0.2/32 (host)', expected: 'dev cali1', actual: 'none', effect: 'lost' }],
  fix: ['kubectl -n default delete pod web'],
  operations: [{ time: new Date(NOW).toISOString(), level: 'error', command: 'CHECK', message: 'differs\u001B[2J' }],
};
const format = (isInteractive: boolean, environment: Record<string, string> = {}, columns = 80, isVerbose = false) =>
  formatAttachment(REPORT, openTerminal({ NO_COLOR: '1', ...environment }, isInteractive, columns), {
    nowMs: NOW,
    isVerbose,
  });

describe('formatAttachment', () => {
  it('draws a picture on a terminal', () => expect(format(true)).toContain('├─────┤'));
  it.each([
    ['on a pipe', format(false)],
    ['in the locale C', format(true, { LANG: 'C' })],
    ['on a narrow terminal', format(true, {}, 60)],
  ])('%s it is a list', (_, text) => expect(text).toContain('In the pod\n  eth0 aa:bb'));
  it('no line is longer than 80 columns', () =>
    expect(
      [format(true), format(false), format(true, {}, 80, true)]
        .join('\n')
        .split('\n')
        .filter((line) => line.length > 80),
    ).toEqual([]));
  it('settings that are as planned are counted, or listed', () => {
    expect(format(false)).toContain('✓ 1 settings');
    expect(format(false, {}, 80, true)).toContain('✓ ipv4 proxy_arp=1');
  });
  it('names differences, their effect and the fix', () =>
    expect(format(false)).toMatch(
      /Differs from the plan \(1\)[^]*expected dev cali1, found none\n {4}effect {3}lost\n {4}since[^]*\n {4}fix {6}kubectl -n default/,
    ));
  it('the log cannot control the terminal', () => expect(format(false)).not.toContain('\u001B'));
});
