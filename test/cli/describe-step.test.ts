import { expect, it } from 'vitest';
import { describeStep, plainStep } from '../../src/cli/describe-step.ts';
import { planAttachmentSteps } from '../../src/plan/attachment-steps.ts';
import { attachmentFacts } from '../support/builders/attachment-facts.ts';

const STEPS = planAttachmentSteps(attachmentFacts({ addresses: ['10.0.0.5', 'fd00::5'], mtuBytes: 1450 }));

it('describes every kind of step in one line', () => {
  const lines = STEPS.map(describeStep).map(({ where, what }) => `${where}: ${what}`);
  expect(lines).toEqual(
    expect.arrayContaining([
      'node: create veth cali54a674feafd and eth0 in the pod, mtu 1450',
      'node: set net/ipv4/conf/cali54a674feafd/proxy_arp=1',
      'pod: set net/ipv4/conf/all/arp_ignore=0 if it is 2 or 8',
      'pod: set eth0 up',
      'pod: route 0.0.0.0/0 via 169.254.1.1 dev eth0',
      'pod: address fd00::5/128 on eth0',
      'node: route 10.0.0.5/32 dev cali54a674feafd',
    ]),
  );
  expect(lines).toHaveLength(STEPS.length);
});

it('as JSON, addresses are texts, and nothing is left out', () => {
  const plain: unknown = JSON.parse(JSON.stringify(STEPS.map(plainStep)));
  expect(plain).toContainEqual({ kind: 'add-address', in: 'sandbox', interface: 'eth0', address: '10.0.0.5/32' });
  expect(plain).toContainEqual({
    kind: 'add-route',
    in: 'sandbox',
    interface: 'eth0',
    route: { destination: '::/0', gateway: 'fe80::ecee:eeff:feee:eeee', scope: 'global' },
    whenTaken: 'fail',
  });
});
