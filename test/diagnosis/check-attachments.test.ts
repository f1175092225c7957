import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { checkAttachments, findingsOfFailures } from '../../src/diagnosis/check-attachments.ts';
import type { FailedCommand, NodeFacts } from '../../src/diagnosis/facts.ts';
import { passed, skipped } from '../../src/diagnosis/finding.ts';
import {
  apiFacts,
  journalFacts,
  nodeFacts,
  packetFacts,
  NOON_MS,
  recordFact,
  seen,
} from '../support/builders/node-facts.ts';

const problems = (overrides: Partial<NodeFacts>) =>
  checkAttachments(nodeFacts(overrides)).filter(({ outcome }) => outcome === 'failed' || outcome === 'warning');
const failure = (overrides: Partial<FailedCommand> = {}): FailedCommand => ({
  atMs: NOON_MS - 10_000,
  command: 'ADD',
  containerId: 'c9',
  pod: 'default/new',
  message: 'refused',
  number: 'PW404',
  ...overrides,
});

describe('checkAttachments', () => {
  const finds = (what: string, overrides: Partial<NodeFacts>, ...expected: readonly object[]) =>
    it(what, () => expect(problems(overrides)).toMatchObject(expected));

  finds('a healthy node has no finding', {});
  finds(
    'an interface that is missing',
    { links: seen([]) },
    { number: 'PW601', evidence: [['pod', 'default/web: cali1 is missing']] },
  );
  finds(
    'only the link-local route of the kernel is left',
    {
      routes: seen([
        { destination: parseCidr('fe80::/64'), interfaceName: 'cali1', isDefault: false, hasGateway: false },
      ]),
    },
    { number: 'PW601', evidence: [['pod', 'default/web: no route leads to cali1']] },
  );
  finds('a route that is missing', { routes: seen([]) }, { number: 'PW601' });
  finds('a sandbox that is gone has not lost its network', {
    links: seen([]),
    journal: seen(journalFacts({ attachments: [recordFact({ hasSandbox: false })] })),
  });
  finds(
    'an ADD that fails',
    { failures: seen([failure()]) },
    { number: 'PW602', evidence: [['pods', 'default/new'], expect.anything(), ['message', 'refused']] },
  );
  finds('an ADD that has succeeded since', { failures: seen([failure({ pod: 'default/web' })]) });
  finds('an ADD of a pod that was deleted', {
    failures: seen([failure()]),
    api: seen(apiFacts({ deletedPods: ['default/new'] })),
  });
  finds('an ADD long ago', { failures: seen([failure({ atMs: NOON_MS - 3_600_000 })]) });
  finds('a DEL that fails', { failures: seen([failure({ command: 'DEL', containerId: 'c1' })]) }, { number: 'PW602' });
  finds('a DEL that has succeeded since', { failures: seen([failure({ command: 'DEL' })]) });
  finds(
    'a setting of an interface that was changed',
    { packets: packetFacts({ interfaceSettings: { cali1: { proxy_arp: '0', forwarding: '1' } } }) },
    { number: 'PW601', fix: ['sysctl -w net.ipv4.conf.cali1.proxy_arp=1'] },
  );
  finds('a damaged record of a container that the runtime has, and one that was just written', {
    journal: seen(
      journalFacts({
        damaged: [
          { containerId: 'c1', interfaceName: 'eth0', writtenMs: 0 },
          { containerId: 'c9', interfaceName: 'eth0', writtenMs: NOON_MS - 30_000 },
        ],
      }),
    ),
  });
  finds(
    'a damaged record',
    { journal: seen(journalFacts({ damaged: [{ containerId: 'c9', interfaceName: 'eth0', writtenMs: 0 }] })) },
    { number: 'PW603' },
  );
});

describe('findingsOfFailures', () => {
  const facts = nodeFacts({ failures: seen([failure()]) });

  it('a number that could not be checked is found by the message of a failed command', () =>
    expect(findingsOfFailures(facts, [skipped('PW404', 'no pod')])).toMatchObject([
      { number: 'PW404', outcome: 'failed', evidence: [['message', 'refused'], expect.anything()] },
    ]));
  it('a check that has passed since then is right', () =>
    expect(findingsOfFailures(facts, [passed('PW404', 'fine')])).toEqual([]));
});
