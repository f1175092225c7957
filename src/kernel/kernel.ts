import { closeSync } from 'node:fs';
import { hostCidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import type { Observation, ObservedInterface } from '../plan/observation.ts';
import type { Place, Step } from '../plan/step.ts';
import { applySteps, type IsGone } from './apply.ts';
import { findGatewayProblem, findHostAddress, type AttachedEnd, type HostAddress } from './host-routes.ts';
import type { Namespace } from './namespace.ts';
import { KernelError } from '../system/kernel-error.ts';
import { openLibcLoader, type Libc, type LibcLoader } from '../system/libc.ts';
import { decodeLink, deleteLinkRequest, getLinkRequest } from '../netlink/link-message.ts';
import { openEventLoopTransport } from '../netlink/event-loop-transport.ts';
import type { NetlinkRequest } from '../netlink/message.ts';
import { decodeRoute, dumpRoutesRequest, hasDestination } from '../netlink/route-message.ts';
import { NetlinkSocket, type NetlinkReply } from '../netlink/socket.ts';
import { openThreadTransport } from '../netlink/thread-transport.ts';
import { OwnNetns } from './netns.ts';
import { listLinks, observeSteps } from './observe.ts';
import { isNamespaceFile, openSandboxDescriptor } from './sandbox-descriptor.ts';
import { pause } from '../system/pause.ts';
import { yieldToEventLoop } from '../system/yield-to-event-loop.ts';

/** The network configuration of the host and of sandboxes. Disposing it also closes the sandboxes. */
export interface Kernel extends AsyncDisposable {
  /**
   * Opens the network namespace at a path. It never waits, even if the path leads to a FIFO.
   *
   * @throws {KernelError} if this process cannot even open its own namespace, or cannot load libc
   */
  openSandbox(path: string): Promise<Sandbox | SandboxUnavailable>;
  /** True if the file at a path is a namespace, of the network or of another kind. It opens nothing. */
  sandboxExists(path: string): boolean;
  /**
   * Reads one interface by its name or index.
   *
   * @returns undefined if it does not exist
   * @throws {KernelError}
   */
  observeInterface(where: Sandbox | 'host', by: string | number): Promise<ObservedInterface | undefined>;
  /**
   * Reads all interfaces of the host.
   *
   * @throws {KernelError}
   */
  listInterfaces(): Promise<readonly ObservedInterface[]>;
  /**
   * True if the host has a route to this address alone, in any table.
   *
   * @throws {KernelError}
   */
  hasHostRoute(address: IpAddress): Promise<boolean>;
  /**
   * Reads what the steps create or change, without changing anything: one observation for each step, in the same order.
   *
   * @throws {KernelError}
   */
  observe(steps: readonly Step[], sandbox: Sandbox): Promise<readonly Observation[]>;
  /**
   * Applies steps in order. If one fails, later ones may have been applied as well.
   *
   * @param isGone whether the pod of a host interface is gone, so that its route may be replaced
   * @returns a warning for each setting that is not written and that the pod can do without, and for each replaced route
   * @throws {KernelError} that names the step, with `owner` if another interface has the route
   */
  apply(steps: readonly Step[], sandbox: Sandbox, isGone?: IsGone): Promise<readonly string[]>;
  /**
   * Finds an address that an interface of the host has among `addresses`.
   *
   * @throws {KernelError}
   */
  findHostAddress(addresses: readonly IpAddress[]): Promise<HostAddress | undefined>;
  /**
   * Why the host does not answer the ARP requests of its pods for their gateway, as a message that says what to do.
   *
   * @param attached the pod that asks, or `undefined` for pods in general
   * @returns undefined if the host answers
   * @throws {KernelError}
   */
  findGatewayProblem(gateway: IpAddress, attached?: AttachedEnd): Promise<string | undefined>;
  /**
   * Deletes an interface by its index, and with one end of a veth the other end, without blocking the event loop. The
   * name is for messages only: another interface can have it by now.
   *
   * The kernel removes a veth with its routes and addresses within a millisecond. Then it waits until no CPU can use it any more
   * (rcu_barrier in netdev_run_todo), and acknowledges the request 13 to 25 ms later.
   *
   * @param onGone called as soon as the interface does not exist
   * @throws {KernelError}
   */
  deleteInterface(
    where: Sandbox | 'host',
    end: Pick<ObservedInterface, 'index' | 'name'>,
    onGone?: () => void,
  ): Promise<'deleted' | 'absent'>;
}

/** An open network namespace of a pod. */
export interface Sandbox extends Disposable {
  readonly kind: 'sandbox';
  /** CNI_NETNS as given. */
  readonly path: string;
  /** True if it is the namespace of this process itself. */
  readonly isOwnNetns: boolean;
}

/** The result for a path that does not lead to a usable network namespace. */
export interface SandboxUnavailable {
  readonly kind: 'unavailable';
  /**
   * An explanation with the name of the errno. It never contains "not found", because containerd ignores such errors.
   */
  readonly reason: string;
}

/**
 * Opens the kernel. Libraries and sockets are loaded and opened when they are first used.
 *
 * @param onStep called before each step that is applied
 */
export function openKernel(libc: LibcLoader = openLibcLoader(), onStep?: (step: Step) => void): Kernel {
  return new LazyKernel(libc, onStep);
}

// Loading libraries, entering namespaces and most requests block the thread, so each of them yields to the event loop
// first.
class LazyKernel implements Kernel {
  readonly #libc: LibcLoader;
  readonly #onStep: ((step: Step) => void) | undefined;
  #ownNetns: OwnNetns | undefined;
  #hostSocket: Promise<NetlinkSocket> | undefined;
  readonly #sandboxes = new Set<OpenSandbox>();

  constructor(libc: LibcLoader, onStep: ((step: Step) => void) | undefined) {
    this.#libc = libc;
    this.#onStep = onStep;
  }

  async openSandbox(path: string): Promise<Sandbox | SandboxUnavailable> {
    await yieldToEventLoop();
    const opened = openSandboxDescriptor(path, this.#netns());
    if (opened.kind === 'unavailable') return opened;
    const sandbox = new OpenSandbox(path, opened, () => this.#sandboxes.delete(sandbox));
    this.#sandboxes.add(sandbox);
    return sandbox;
  }

  sandboxExists(path: string): boolean {
    return isNamespaceFile(path);
  }

  async observeInterface(where: Sandbox | 'host', by: string | number): Promise<ObservedInterface | undefined> {
    const reply = await ask(await this.#socketOf(where), getLinkRequest(by));
    if (reply.errnoName === 'ENODEV') return undefined;
    const [payload] = reply.payloads;
    if (payload === undefined) throw new KernelError('find', objectOf(where, `${by}`), reply.errnoName ?? 'ENODATA');
    return decodeLink(payload);
  }

  async listInterfaces(): Promise<readonly ObservedInterface[]> {
    return listLinks(await this.#socketOf('host'));
  }

  async hasHostRoute(address: IpAddress): Promise<boolean> {
    const reply = await ask(await this.#socketOf('host'), dumpRoutesRequest(address.family));
    if (reply.errnoName !== undefined) throw new KernelError('list', 'routes (host)', reply.errnoName);
    return reply.payloads.map(decodeRoute).some((route) => hasDestination(route, hostCidr(address)));
  }

  async observe(steps: readonly Step[], sandbox: Sandbox): Promise<readonly Observation[]> {
    return observeSteps(steps, await this.#namespaces(sandbox));
  }

  async apply(steps: readonly Step[], sandbox: Sandbox, isGone?: IsGone): Promise<readonly string[]> {
    const netns = this.#netns();
    return applySteps(steps, { ...(await this.#namespaces(sandbox)), netnsFd: netns.fd }, isGone, this.#onStep);
  }

  async findHostAddress(addresses: readonly IpAddress[]): Promise<HostAddress | undefined> {
    return findHostAddress(await this.#socketOf('host'), addresses);
  }

  async findGatewayProblem(gateway: IpAddress, attached?: AttachedEnd): Promise<string | undefined> {
    const socket = await this.#socketOf('host');
    return findGatewayProblem({ socket, run: (action) => this.#in('host', action) }, gateway, attached);
  }

  // Begins at once, on another thread: what the caller starts next overlaps it.
  async deleteInterface(
    where: Sandbox | 'host',
    { index, name }: Pick<ObservedInterface, 'index' | 'name'>,
    onGone?: () => void,
  ): Promise<'deleted' | 'absent'> {
    const fd = this.#in(where, () => this.#loadedLibc().openNetlink());
    using socket = new NetlinkSocket((listener) => openThreadTransport(fd, listener));
    const deletion = ask(socket, deleteLinkRequest(index));
    if (onGone !== undefined) this.#watchUntilGone(where, index, { deletion, onGone }).catch(() => undefined); // the reply decides
    const reply = await deletion;
    if (reply.errnoName === 'ENODEV') return 'absent';
    if (reply.errnoName !== undefined) throw new KernelError('delete', objectOf(where, name), reply.errnoName);
    return 'deleted';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sandbox of this.#sandboxes) sandbox[Symbol.dispose]();
    (await this.#hostSocket?.catch(() => undefined))?.[Symbol.dispose]();
    this.#ownNetns?.[Symbol.dispose]();
    this.#hostSocket = this.#ownNetns = undefined;
  }

  async #watchUntilGone(
    where: Sandbox | 'host',
    index: number,
    { deletion, onGone }: { readonly deletion: Promise<unknown>; readonly onGone: () => void },
  ): Promise<void> {
    const end = () => 'ended' as const;
    const ended = deletion.then(end, end);
    do {
      if ((await Promise.race([ended, pause(1)])) === 'ended') return;
    } while ((await this.observeInterface(where, index)) !== undefined);
    onGone();
  }

  async #namespaces(sandbox: Sandbox): Promise<Readonly<Record<Place, Namespace>>> {
    await yieldToEventLoop();
    const host: Namespace = { socket: await this.#socketOf('host'), run: (action) => this.#in('host', action) };
    const inside: Namespace = { socket: await this.#socketOf(sandbox), run: (action) => this.#in(sandbox, action) };
    return { host, sandbox: inside };
  }

  #socketOf(where: Sandbox | 'host'): Promise<NetlinkSocket> {
    if (where === 'host') return (this.#hostSocket ??= this.#openSocket('host'));
    const sandbox = this.#own(where);
    return (sandbox.socket ??= this.#openSocket(where));
  }

  async #openSocket(where: Sandbox | 'host'): Promise<NetlinkSocket> {
    await yieldToEventLoop();
    const { RawNetlinkSocket } = await import('netlink/dist/raw.js');
    return this.#in(where, () => new NetlinkSocket((listener) => openEventLoopTransport(RawNetlinkSocket, listener)));
  }

  #in<Value>(where: Sandbox | 'host', action: () => Value): Value {
    if (where !== 'host') return this.#netns().visit(this.#own(where).fd, action);
    this.#ownNetns?.requireHome();
    return action();
  }

  #own(sandbox: Sandbox): OpenSandbox {
    if (sandbox instanceof OpenSandbox && this.#sandboxes.has(sandbox)) return sandbox;
    throw new KernelError('use', `the sandbox ${sandbox.path}`, 'EBADF', { explanation: 'it is closed' });
  }

  #netns(): OwnNetns {
    return (this.#ownNetns ??= new OwnNetns(this.#loadedLibc()));
  }

  #loadedLibc(): Libc {
    return this.#libc.load();
  }
}

class OpenSandbox implements Sandbox {
  readonly kind = 'sandbox';
  readonly path: string;
  readonly isOwnNetns: boolean;
  readonly fd: number;
  socket: Promise<NetlinkSocket> | undefined;
  readonly #onDispose: () => boolean;

  constructor(path: string, { fd, isOwnNetns }: { fd: number; isOwnNetns: boolean }, onDispose: () => boolean) {
    this.path = path;
    this.fd = fd;
    this.isOwnNetns = isOwnNetns;
    this.#onDispose = onDispose;
  }

  [Symbol.dispose](): void {
    if (!this.#onDispose()) return; // closed before
    closeSync(this.fd);
    this.socket?.then(
      (socket) => socket[Symbol.dispose](),
      () => undefined,
    );
  }
}

async function ask(socket: NetlinkSocket, request: NetlinkRequest): Promise<NetlinkReply> {
  const [reply] = await socket.exchange([request]);
  return reply ?? { errnoName: 'ENODATA', payloads: [] };
}

function objectOf(where: Sandbox | 'host', name: string): string {
  return `interface ${name} (${where === 'host' ? 'host' : `sandbox ${where.path}`})`;
}
