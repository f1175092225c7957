import { onTestFinished } from 'vitest';
import { openKernel, type Kernel, type Sandbox } from '../../../src/kernel/kernel.ts';
import { makeSandbox, type NetworkNamespace } from '../../lab/namespaces/network-namespace.ts';

/** A kernel with a sandbox open in it, both closed when the test ends. `pod` is the sandbox as iproute2 sees it. */
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
