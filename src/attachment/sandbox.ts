import type { AttachmentId } from '../cni/attachment-id.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { Kernel, Sandbox, SandboxUnavailable } from '../kernel/kernel.ts';
import type { Effects } from './effects.ts';
import { withKernelErrors } from './kernel-errors.ts';

/** Where a request says that the pod's network namespace is. */
export interface SandboxRequest {
  /** It is `undefined` if the runtime reports that it is gone. */
  readonly sandboxPath: string | undefined;
  readonly mayUseOwnNetns: boolean;
}

/**
 * Opens the pod's network namespace.
 *
 * @throws {CniError} invalidSandbox (8) if the path leads to none, or to the node's own
 * @see SPEC.md 1.1.0, section 2, CNI_NETNS
 */
export async function openSandbox(
  { sandboxPath = '', mayUseOwnNetns }: SandboxRequest,
  { kernel }: Pick<Effects, 'kernel'>,
): Promise<Sandbox> {
  const sandbox = await openNamespace(sandboxPath, kernel);
  if (sandbox.kind === 'sandbox') return assertNotOwnNetns(sandbox, mayUseOwnNetns);
  throw new CniError(
    ERROR_CODE.invalidSandbox,
    `CNI_NETNS ${JSON.stringify(sandboxPath)} is not a network namespace; the runtime has removed the sandbox, or its path is wrong`,
    { details: sandbox.reason },
  );
}

/**
 * Opens the sandbox of an ADD, in which the interface must not exist yet.
 *
 * @throws {CniError} as {@link openSandbox}; interfaceTaken (103) if the sandbox has an interface of this name
 * @see SPEC.md 1.1.0, section 2, ADD
 */
export async function openEmptySandbox(
  request: SandboxRequest & { readonly id: AttachmentId },
  effects: Pick<Effects, 'kernel' | 'journal'>,
): Promise<Sandbox> {
  const sandbox = await openSandbox(request, effects);
  const { interfaceName } = request.id;
  const found = await withKernelErrors(`inspect ${sandbox.path}`, () =>
    effects.kernel.observeInterface(sandbox, interfaceName),
  );
  if (found === undefined) return sandbox;
  // The runtime sends DEL for this ADD, too, and that must not remove what another network created.
  effects.journal.noteRejected(request.id);
  throw new CniError(
    ERROR_CODE.interfaceTaken,
    `the sandbox ${sandbox.path} already has an interface ${interfaceName}; two networks of the pod use the same name, or a DEL is missing`,
    { details: `index ${found.index}, ${found.linkKind ?? 'no kind'}, MAC ${found.mac}` },
  );
}

/**
 * Opens the sandbox of a DEL, if it still exists. A path that leads to anything but a network namespace means that it is gone: runtimes
 * leave plain files where namespaces were mounted (plugins#69). So does the network namespace of the node itself: a process of the node has
 * the process id of the sandbox by now.
 *
 * @throws {CniError} kernelRefused (101)
 */
export async function openRemainingSandbox(
  { sandboxPath, mayUseOwnNetns }: SandboxRequest,
  { kernel, log }: Pick<Effects, 'kernel' | 'log'>,
): Promise<Sandbox | undefined> {
  if (sandboxPath === undefined) return undefined;
  const sandbox = await openNamespace(sandboxPath, kernel);
  if (sandbox.kind === 'unavailable') {
    log.info(`the sandbox ${JSON.stringify(sandboxPath)} is gone: ${sandbox.reason}`);
    return undefined;
  }
  if (!sandbox.isOwnNetns || mayUseOwnNetns) return sandbox;
  sandbox[Symbol.dispose]();
  log.warning(
    `CNI_NETNS ${JSON.stringify(sandboxPath)} is the network namespace of the node itself: the sandbox is gone, and nothing in this namespace is touched`,
  );
  return undefined;
}

function openNamespace(path: string, kernel: Kernel): Promise<Sandbox | SandboxUnavailable> {
  return withKernelErrors(`enter ${path}`, () => kernel.openSandbox(path));
}

function assertNotOwnNetns(sandbox: Sandbox, mayUseOwnNetns: boolean): Sandbox {
  if (!sandbox.isOwnNetns || mayUseOwnNetns) return sandbox;
  sandbox[Symbol.dispose]();
  throw new CniError(
    ERROR_CODE.invalidSandbox,
    `CNI_NETNS ${JSON.stringify(sandbox.path)} is the network namespace of the node itself; set CNI_NETNS_OVERRIDE=1 if this is intended`,
  );
}
