import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { InterfaceName } from '../cni/attachment-id.ts';
import type { Kernel, Sandbox, SandboxUnavailable } from '../kernel/kernel.ts';
import type { ObservedInterface } from '../netlink/observed-interface.ts';
import { HOST_INTERFACE_MAC } from '../plan/attachment-steps.ts';
import type { Effects } from './effects.ts';
import { withKernelErrors, translateKernelError } from './kernel-errors.ts';

/** What of a request says where the pod's network namespace is. */
export interface SandboxRequest {
  readonly sandboxPath: string;
  readonly mayUseOwnNetns: boolean;
}

/**
 * The pod's network namespace, open.
 *
 * @throws {CniError} 8 if the path leads to none, or to the node's own
 * @see SPEC.md 1.1.0, section 2, CNI_NETNS
 */
export function openSandbox(request: SandboxRequest, kernel: Kernel): Sandbox {
  const sandbox = openNamespace(request.sandboxPath, kernel);
  if (sandbox.kind === 'sandbox') return refuseOwnNetns(sandbox, request);
  throw new CniError(
    ERROR_CODE.invalidSandbox,
    `CNI_NETNS is no network namespace: ${JSON.stringify(request.sandboxPath)}; the runtime has removed the sandbox, or names a wrong one`,
    { details: sandbox.reason },
  );
}

/**
 * The pod's network namespace, open, if there still is one. A path that leads to anything else means that it is gone: runtimes leave
 * plain files where namespaces were mounted (plugins#69).
 *
 * @throws {CniError} 8 if the path leads to the node's own
 */
export function openRemainingSandbox(
  { sandboxPath, mayUseOwnNetns }: Omit<SandboxRequest, 'sandboxPath'> & { readonly sandboxPath: string | undefined },
  { kernel, log }: Pick<Effects, 'kernel' | 'log'>,
): Sandbox | undefined {
  if (sandboxPath === undefined) return undefined;
  const sandbox = openNamespace(sandboxPath, kernel);
  if (sandbox.kind === 'sandbox') return refuseOwnNetns(sandbox, { sandboxPath, mayUseOwnNetns });
  log.info(`the sandbox ${JSON.stringify(sandboxPath)} is gone: ${sandbox.reason}`);
  return undefined;
}

function openNamespace(path: string, kernel: Kernel): Sandbox | SandboxUnavailable {
  try {
    return kernel.openSandbox(path);
  } catch (cause) {
    throw translateKernelError(`enter ${path}`, cause);
  }
}

function refuseOwnNetns(sandbox: Sandbox, { sandboxPath, mayUseOwnNetns }: SandboxRequest): Sandbox {
  if (!sandbox.isOwnNetns || mayUseOwnNetns) return sandbox;
  sandbox[Symbol.dispose]();
  throw new CniError(
    ERROR_CODE.invalidSandbox,
    `CNI_NETNS ${JSON.stringify(sandboxPath)} is the network namespace of the node itself; set CNI_NETNS_OVERRIDE=1 if that is meant`,
  );
}

/**
 * Refuses a sandbox that has an interface of the wanted name already.
 *
 * @throws {CniError} 103
 * @see SPEC.md 1.1.0, section 2, ADD
 */
export async function assertInterfaceFree(sandbox: Sandbox, name: InterfaceName, kernel: Kernel): Promise<void> {
  const found = await withKernelErrors(`look at ${sandbox.path}`, () => kernel.observeInterface(sandbox, name));
  if (found === undefined) return;
  throw new CniError(
    ERROR_CODE.interfaceTaken,
    `the sandbox ${sandbox.path} has an interface ${name} already; two networks of the pod want the same name, or a DEL is missing`,
    { details: `index ${found.index}, ${found.linkKind ?? 'no kind'}, MAC ${found.mac}` },
  );
}

/**
 * Both ends of the veth pair as the kernel has them now, which is what the result says.
 *
 * @throws {CniError} 101 if one is gone, or the host's MAC is not the one that the pod's IPv6 routes rely on: udev rules have rewritten it
 *   on some nodes
 */
export async function observeEnds(
  hostName: string,
  containerName: string,
  sandbox: Sandbox,
  kernel: Kernel,
): Promise<{ readonly hostInterface: ObservedInterface; readonly containerInterface: ObservedInterface }> {
  const [hostInterface, containerInterface] = await withKernelErrors(`look at ${hostName} and ${containerName}`, () =>
    Promise.all([kernel.observeInterface('host', hostName), kernel.observeInterface(sandbox, containerName)]),
  );
  if (hostInterface?.mac === HOST_INTERFACE_MAC && containerInterface !== undefined)
    return { hostInterface, containerInterface };
  throw new CniError(
    ERROR_CODE.kernelRefused,
    `the veth pair ${hostName} and ${containerName} was changed while it was made: ` +
      (containerInterface === undefined || hostInterface === undefined
        ? 'one end is gone'
        : `the host end has MAC ${hostInterface.mac}, not ${HOST_INTERFACE_MAC}; look for a udev rule or a network manager that takes cali* interfaces`),
    { details: `sandbox ${sandbox.path}` },
  );
}
