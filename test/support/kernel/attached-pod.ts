import { onTestFinished } from 'vitest';
import { openKernel, type Kernel, type Sandbox } from '../../../src/kernel/kernel.ts';
import { planAttachmentSteps, type AttachmentFacts } from '../../../src/plan/attachment-steps.ts';
import { findDrift, formatDrift } from '../../../src/plan/drift.ts';
import type { Step } from '../../../src/plan/step.ts';
import { attachmentFacts, type AttachmentFactsOverrides } from '../builders/attachment-facts.ts';
import { hostNamespace, makeSandbox, type NetworkNamespace } from '../../lab/namespaces/network-namespace.ts';

/** The names and addresses of one pod. No two pods share them, because their tests run at the same time. */
export interface PodPlace {
  /** The host interface. */
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** An attached pod, which a test then damages. */
export interface AttachedPod extends PodPlace {
  readonly host: NetworkNamespace;
  readonly pod: NetworkNamespace;
  readonly steps: readonly Step[];
  /** The differences between the pod and its plan, one text for each. */
  readonly drifts: () => Promise<readonly string[]>;
}

export type PodFactsOverrides = Omit<AttachmentFactsOverrides, 'addresses' | 'hostInterface'>;

/** The names and addresses of the pod with this number in one test file. */
export function podPlace(file: 'observe' | 'damage' | 'tolerance', number: number): PodPlace {
  const net = { observe: 1, damage: 2, tolerance: 3 }[file];
  return { name: `calio${net}n${number}`, ipv4: `10.9.${net}.${number}`, ipv6: `fd09:${net}::${number.toString(16)}` };
}

/** The facts of a pod with both families. */
export function dualStackFacts({ name, ipv4, ipv6 }: PodPlace, overrides: PodFactsOverrides = {}): AttachmentFacts {
  const hostInterface = { name, alias: `podwire c1 eth0 default/${name}` };
  return attachmentFacts({ hostInterface, addresses: [ipv4, ipv6], ...overrides });
}

/** A pod with both families, attached until the test ends. */
export async function attachedPod(place: PodPlace, overrides: PodFactsOverrides = {}): Promise<AttachedPod> {
  const { kernel, sandbox, pod } = await sandboxInKernel();
  const steps = planAttachmentSteps(dualStackFacts(place, overrides));
  await kernel.apply(steps, sandbox);
  const drifts = async () => findDrift(await kernel.observe(steps, sandbox)).map((drift) => formatDrift([drift]));
  return { ...place, host: hostNamespace(), pod, steps, drifts };
}

/** All settings that CHECK compares, except those whose change removes IPv6 addresses and routes. */
export function settingsOf(
  steps: readonly Step[],
  place: 'host' | 'sandbox',
): readonly Extract<Step, { kind: 'write-sysctl' }>[] {
  return steps
    .filter((step) => step.kind === 'write-sysctl')
    .filter((step) => step.in === place && !/(disable_ipv6|route_localnet)$/.test(step.key));
}

/** A value that differs from the one that the step sets. */
export function otherValue({ key, value }: { readonly key: string; readonly value: string }): string {
  if (key.endsWith('proxy_delay')) return '80'; // a smaller one can be less than a tick of the kernel's clock
  return value === '0' ? '1' : '0';
}

/** Writes a setting in a namespace, without podwire's code. */
export async function writeSysctl(where: NetworkNamespace, key: string, value: string): Promise<void> {
  await where.exec('sh', '-c', `echo ${value} > /proc/sys/${key}`);
}

/** Opens a kernel and a sandbox, which are closed when the test ends. `pod` is the sandbox as iproute2 sees it. */
export async function sandboxInKernel(): Promise<{ kernel: Kernel; sandbox: Sandbox; pod: NetworkNamespace }> {
  const pod = await makeSandbox();
  const kernel = openKernel();
  onTestFinished(async () => {
    await kernel[Symbol.asyncDispose]();
    await pod[Symbol.asyncDispose]();
  });
  const sandbox = await kernel.openSandbox(pod.path);
  if (sandbox.kind === 'unavailable') throw new Error(sandbox.reason);
  return { kernel, sandbox, pod };
}
