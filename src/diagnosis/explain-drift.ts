import type { Drift } from '../plan/drift.ts';

/** What a difference between an attachment and its plan means for the pod. */
export function effectOfDrift({ what }: Pick<Drift, 'what'>): string {
  const rule = EFFECTS.find(({ pattern }) => pattern.test(what));
  return rule?.effect ?? 'the pod may behave differently from other pods';
}

const EFFECTS: readonly { readonly pattern: RegExp; readonly effect: string }[] = [
  { pattern: /^interface \S+ \(host\)/, effect: 'the pod has no network' },
  { pattern: /^interface \S+ \(sandbox\)/, effect: 'the pod has no network' },
  { pattern: /one veth pair|and .* \(sandbox\)$/, effect: 'packets of the pod end in another interface' },
  { pattern: /^route to \S+ \(host\)/, effect: 'the node drops packets to this address of the pod' },
  { pattern: /^route to (0\.0\.0\.0\/0|::\/0) \(sandbox\)/, effect: 'the pod reaches nothing outside of itself' },
  { pattern: /^route to \S+ \(sandbox\)/, effect: 'the pod does not reach this destination' },
  { pattern: /^address of/, effect: 'the pod does not answer at this address' },
  { pattern: /^MTU of/, effect: 'small packets pass, and large ones are lost' },
  { pattern: /^MAC of \S+ \(host\)/, effect: 'the IPv6 gateway of the pod does not answer' },
  { pattern: /proxy_arp|proxy_ndp/, effect: 'the node does not answer for the gateway of the pod' },
  { pattern: /forwarding/, effect: 'the node does not forward packets of the pod' },
  { pattern: /disable_ipv6/, effect: 'the pod has no IPv6' },
  {
    pattern: /^annotation /,
    effect: 'the policy agent does not know the addresses of the pod, and may remove its route',
  },
  { pattern: /^lease /, effect: 'another pod can get the same address' },
];
