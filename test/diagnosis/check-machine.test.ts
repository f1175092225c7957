import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { checkMachine, deleteCommands } from '../../src/diagnosis/check-machine.ts';
import type { MachineFacts, NodeFacts } from '../../src/diagnosis/facts.ts';
import { nodeFacts, processFacts, seen } from '../support/builders/node-facts.ts';

const problems = (overrides: Partial<NodeFacts>) =>
  checkMachine(nodeFacts(overrides)).filter(({ outcome }) => outcome === 'failed' || outcome === 'warning');
const machine = (overrides: Partial<MachineFacts>) => ({ machine: { ...nodeFacts().machine, ...overrides } });

describe('checkMachine', () => {
  const finds = (what: string, overrides: Partial<NodeFacts>, ...expected: readonly object[]) =>
    it(what, () => expect(problems(overrides)).toMatchObject(expected));

  finds('a healthy node has no finding', {});
  finds('no route to the gateway', machine({ gatewayProblem: seen('no route') }), {
    number: 'PW501',
    fix: ['ip route add 169.254.1.1/32 dev lo'],
  });
  finds('an interface with the address of the gateway', machine({ gatewayProblem: seen('arp_ignore is 2') }), {
    fix: ['sysctl -w net.ipv4.conf.all.arp_ignore=0'],
  });
  finds('pods that started before the MTU was known', machine({ mtuFile: { bytes: 1450, writtenMs: 1 } }), {
    number: 'PW502',
    fix: ['kubectl -n default delete pod web'],
  });
  const uplink = { index: 2, name: 'eth0', mtuBytes: 1450, alias: undefined, addresses: [] };
  const byDefault = { destination: parseCidr('0.0.0.0/0'), interfaceName: 'eth0', isDefault: true, hasGateway: true };
  finds(
    'an uplink that carries less than pods get',
    { links: seen([uplink]), routes: seen([byDefault]), ...machine({ mtuFile: undefined }) },
    {
      number: 'PW502',
      summary: 'Pods get MTU 1500, but eth0 carries 1450 bytes.',
      fix: [
        'kubectl -n kube-system set env daemonset/podwire CNI_MTU=1450',
        'kubectl -n kube-system rollout status daemonset/podwire',
        'kubectl -n default delete pod web',
      ],
    },
  );
  finds('a narrow interface by which no packets of pods leave', { links: seen([uplink]) });
  finds('NetworkManager', machine({ managedInterfaces: [{ name: 'cali1', manager: 'NetworkManager' }] }), {
    number: 'PW504',
    fix: [expect.stringContaining('unmanaged-devices=interface-name:cali*'), 'nmcli general reload conf'],
  });
  finds('systemd-networkd', machine({ managedInterfaces: [{ name: 'cali1', manager: 'systemd-networkd' }] }), {
    number: 'PW504',
    summary: 'systemd-networkd controls the interfaces of pods.',
    evidence: [['interfaces', 'cali1']],
    fix: [
      'mkdir -p /etc/systemd/network',
      String.raw`printf '[Match]\nName=cali*\n[Link]\nUnmanaged=yes\n' > /etc/systemd/network/00-podwire.network`,
      'networkctl reload',
    ],
  });
  finds('a full disk', machine({ disk: { freeBytes: 1000, freeInodes: 1000 } }), { number: 'PW506' });
  finds('no inodes', machine({ disk: { freeBytes: 1e9, freeInodes: 5 } }), { number: 'PW506' });
  const agent = (prefix: string) => ({ processes: processFacts({ agent: { prefix, ignoresLooseFilter: false } }) });
  finds('another prefix of the agent', agent('eni,azv'), { number: 'PW701' });
  finds('one of several prefixes of the agent', agent('eni,cali'));
});

it('pods are deleted with one command for each namespace', () =>
  expect(deleteCommands([{ pod: 'a/x' }, { pod: 'b/y' }, { pod: 'a/z' }, { pod: '' }])).toEqual([
    'kubectl -n a delete pod x z',
    'kubectl -n b delete pod y',
  ]));
