import { describe, expect, it } from 'vitest';
import { checkZones } from '../../src/diagnosis/check-zones.ts';
import type { FirewallZone, PacketFacts } from '../../src/diagnosis/packet-facts.ts';
import { nodeFacts, packetFacts, unseen } from '../support/builders/node-facts.ts';

const zone = (name: string, interfaces: readonly string[], sources: readonly string[] = []): FirewallZone => ({
  name,
  interfaces,
  sources,
});
const check = (packets: Partial<PacketFacts>, rejects?: string) =>
  checkZones(nodeFacts({ packets: packetFacts(packets) }), { isActive: rejects !== undefined, rejects });

describe('checkZones', () => {
  it('without firewalld', () =>
    expect(check({})).toMatchObject({ outcome: 'ok', summary: 'firewalld has no rules for forwarded packets' }));

  it('its rules reject packets of pods, which are in no zone', () =>
    expect(check({ zones: [zone('public', ['eth0']), zone('trusted', [], ['10.244.0.0/16'])] }, 'the chain')).toEqual({
      number: 'PW508',
      outcome: 'failed',
      summary: 'firewalld rejects the packets of pods.',
      evidence: [
        ['chain', 'the chain'],
        ['cali*', 'in no zone: the default zone of firewalld applies to them'],
        ['zones', 'public (eth0); trusted (10.244.0.0/16)'],
        ['or keep it', expect.stringContaining('trusted')],
      ],
      fix: ['systemctl disable --now firewalld'],
    }));

  it.each(['drop', 'block'])('interfaces of pods are in the zone %s', (name) =>
    expect(check({ zones: [zone(name, ['cali1', 'cali2'])] })).toMatchObject({
      outcome: 'failed',
      evidence: expect.arrayContaining([['cali*', `2 in zone ${name}`]]),
    }),
  );

  it('interfaces of pods are in a zone that accepts', () =>
    expect(check({ zones: [zone('trusted', ['cali1']), zone('drop', ['eth1'])] })).toMatchObject({
      outcome: 'ok',
      summary: 'firewalld accepts packets of pods: cali* is in its zone trusted',
    }));

  it('neither rules nor zones can be seen', () =>
    expect(check({ firewall: unseen('no nft') })).toMatchObject({ outcome: 'skipped', summary: 'no nft' }));
});
