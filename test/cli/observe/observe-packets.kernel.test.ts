import { expect, it } from 'vitest';
import { observePackets, parseConnectionDrops, parseCounters } from '../../../src/cli/observe/observe-packets.ts';

it('reads settings, rules and counters of this network namespace', async () => {
  const facts = await observePackets(process.env['PATH']);
  expect(facts).toMatchObject({
    sysctls: { 'net/ipv4/ip_forward': expect.stringMatching(/^[01]$/) },
    firewall: { kind: 'seen' },
    reversePathFilters: { all: expect.any(Number), lo: expect.any(Number) },
    interfaceSettings: { lo: { proxy_arp: '0' } },
    counters: { received: expect.any(Number), reversePathDropped: expect.any(Number) },
  });
  expect(facts.connectionDrops.kind).toMatch(/^(un)?seen$/);
});

it('counters are in pairs of lines', () => {
  const netstat = 'TcpExt: A IPReversePathFilter\nTcpExt: 1 25\nIpExt: IPReversePathFilter\nIpExt: 9\n';
  expect(parseCounters(netstat, 'Ip: Forwarding InReceives\nIp: 1 400\n')).toEqual({
    received: 400,
    reversePathDropped: 25,
  });
  expect(parseCounters('', '')).toBeUndefined();
});

it('records of the kernel log about a full table', () => {
  const full = (seconds: number) => `4,12,${seconds}000000,-;nf_conntrack: nf_conntrack: table full, dropping packet\n`;
  const other = '6,13,9000000,-;IPVS: nf_conntrack: table full, dropping packet\n';
  expect(parseConnectionDrops([full(1), full(5), other], 1000)).toEqual({ lastMs: 6000, lineCount: 2 });
  expect(parseConnectionDrops([other], 1000)).toBeUndefined();
});
