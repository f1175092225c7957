import { describe, expect, it } from 'vitest';
import {
  attachedPod,
  otherValue,
  podPlace,
  settingsOf,
  writeSysctl,
  type AttachedPod,
  type PodFactsOverrides,
} from '../support/kernel/attached-pod.ts';

describe('CHECK tolerates a change by another program:', () => {
  let count = 0;
  const tolerated = (
    what: string,
    change: (attached: AttachedPod) => Promise<unknown>,
    overrides: PodFactsOverrides = {},
  ) => {
    const place = podPlace('tolerance', ++count);
    it(what, async () => {
      const attached = await attachedPod(place, overrides);
      await change(attached);
      expect(await attached.drifts()).toEqual([]);
    });
  };

  tolerated('the sbr plugin moves the routes of the pod to its own table', async ({ pod, ipv4 }) => {
    await pod.ip('rule', 'add', 'from', ipv4, 'table', '100');
    await pod.ip('route', 'add', '169.254.1.1', 'dev', 'eth0', 'scope', 'link', 'table', '100');
    await pod.ip('route', 'add', 'default', 'via', '169.254.1.1', 'dev', 'eth0', 'table', '100');
    await pod.ip('route', 'delete', 'default');
    await pod.ip('route', 'delete', '169.254.1.1');
    await pod.ip('-6', 'route', 'add', 'default', 'via', 'fe80::ecee:eeff:feee:eeee', 'dev', 'eth0', 'table', '1000');
    await pod.ip('-6', 'route', 'delete', 'default');
  });
  tolerated(
    'the tuning plugin changes the MAC, lowers the MTU and writes sysctls',
    async ({ pod, steps }) => {
      await pod.ip('link', 'set', 'eth0', 'address', '02:00:00:00:00:01', 'mtu', '1350');
      for (const step of settingsOf(steps, 'sandbox')) await writeSysctl(pod, step.key, otherValue(step));
    },
    { mtuBytes: 1400 },
  );
  tolerated('the agent replaces the routes of the host', async ({ host, name, ipv4, ipv6 }) => {
    await host.ip('route', 'delete', ipv4);
    await host.ip('route', 'add', ipv4, 'dev', name, 'proto', '80', 'metric', '1024', 'scope', 'link');
    await host.ip('-6', 'route', 'replace', ipv6, 'dev', name, 'proto', '80');
  });
  tolerated('addresses and routes are added', async ({ host, pod, name, ipv4 }) => {
    await pod.ip('address', 'add', '10.9.9.2/32', 'dev', 'eth0');
    await pod.ip('route', 'add', '192.168.0.0/16', 'dev', 'eth0');
    await host.ip('route', 'add', '10.9.9.2', 'dev', name);
    await host.ip('route', 'add', 'blackhole', ipv4, 'table', '100');
  });
});
