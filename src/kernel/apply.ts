import { formatCidr } from '../address/cidr.ts';
import type { ObservedInterface } from '../plan/observation.ts';
import type { Place, Step, StepOf } from '../plan/step.ts';
import { linkLocalAddress } from '../address/link-local-address.ts';
import { addAddressRequest, replaceAddressRequest } from '../netlink/address-message.ts';
import { KernelError } from '../system/kernel-error.ts';
import {
  createVethRequest,
  decodeLink,
  deleteLinkRequest,
  getLinkRequest,
  setAddressGenerationRequest,
  setAliasRequest,
  setUpRequest,
} from '../netlink/link-message.ts';
import type { NetlinkRequest } from '../netlink/message.ts';
import type { NetlinkReply } from '../netlink/socket.ts';
import { effectivePriority, findConflictingRoute } from './conflicting-route.ts';
import { addRouteRequest } from '../netlink/route-message.ts';
import type { Namespace } from './namespace.ts';
import { writeSysctl } from './sysctl.ts';

/** The namespaces in which steps act. */
export interface Namespaces extends Readonly<Record<Place, Namespace>> {
  /** Refers to the namespace of the host. The kernel creates the host interface there. */
  readonly netnsFd: number;
}

/**
 * Applies steps in order. Consecutive requests in one namespace are sent together, and the kernel does not stop at one
 * that fails: later steps may have been applied when this throws.
 *
 * @param isGone whether the pod of a host interface is gone, so that its route may be replaced
 * @param onStep called before each step
 * @returns a warning for each setting that is not written and that the pod can do without, and for each replaced route
 * @throws {KernelError} that names the first step that failed
 */
export async function applySteps(
  steps: readonly Step[],
  namespaces: Namespaces,
  isGone: IsGone = () => false,
  onStep?: (step: Step) => void,
): Promise<readonly string[]> {
  const run = new StepRun(namespaces, isGone);
  const { warnings } = run;
  for (const step of steps) {
    onStep?.(step);
    switch (step.kind) {
      case 'create-veth':
        await run.flush();
        await run.createVeth(step);
        break;
      case 'write-sysctl':
        await run.flush();
        warnings.push(...writtenSetting(step, namespaces));
        break;
      case 'set-up':
        await run.add(step, ...(await setUpRequests(step, run)));
        break;
      case 'add-route':
        await run.add(step, addRouteRequest(await run.indexOf(step), step.route, step.whenTaken));
        break;
      case 'add-address':
        await run.add(step, addAddressRequest(await run.indexOf(step), step.address));
        break;
      default:
        step satisfies never;
    }
  }
  await run.flush();
  return warnings;
}

function writtenSetting(step: StepOf<'write-sysctl'>, namespaces: Namespaces): readonly string[] {
  const warning = namespaces[step.in].run(() => writeSysctl(step));
  return warning === undefined ? [] : [warning];
}

// The kernel would make the link-local address itself, with duplicate address detection. So it makes none when the
// interface is set up, and then it is told the address. It may have made one all the same, when the interface was
// created in a namespace without IPv6: that one is replaced.
async function setUpRequests(step: StepOf<'set-up'>, run: StepRun): Promise<readonly NetlinkRequest[]> {
  if (step.linkLocalAddress === undefined) return [setUpRequest(step.interface)];
  const { index, mac } = await run.linkOf(step);
  return [
    setAddressGenerationRequest(index, 'NONE'),
    setUpRequest(step.interface),
    replaceAddressRequest(index, { address: linkLocalAddress(mac), prefixLength: 64 }),
    setAddressGenerationRequest(index, 'EUI64'),
  ];
}

/** Decides whether the pod of a host interface is gone. */
export type IsGone = (hostInterface: ObservedInterface) => boolean;

/** A step that consists of requests, which can be sent together with those of others. */
type RequestStep = StepOf<'set-up' | 'add-route' | 'add-address'>;

type LinkIdentity = Pick<ObservedInterface, 'index' | 'mac'>;

/**
 * One pass through a list of steps: the interfaces that are known so far, and the requests that are yet to be
 * sent.
 */
class StepRun {
  readonly warnings: string[] = [];
  readonly #namespaces: Namespaces;
  readonly #isGone: IsGone;
  readonly #links: Readonly<Record<Place, Map<string, LinkIdentity>>> = { host: new Map(), sandbox: new Map() };
  #place: Place = 'host';
  #queue: { readonly step: RequestStep; readonly request: NetlinkRequest }[] = [];

  constructor(namespaces: Namespaces, isGone: IsGone) {
    this.#namespaces = namespaces;
    this.#isGone = isGone;
  }

  async createVeth(step: StepOf<'create-veth'>): Promise<void> {
    const { container } = step;
    const { sandbox, netnsFd } = this.#namespaces;
    const [created, reply] = await sandbox.socket.exchange([
      createVethRequest(step, netnsFd),
      getLinkRequest(container.name),
    ]);
    if (created?.errnoName !== undefined) throw await this.#createVethError(step, created.errnoName);
    // From here on it is ours. Without its alias nothing could tell, so a veth that cannot be labelled is deleted at once.
    const link = decodeLink(payloadOf(reply, 'find', `interface ${container.name} (sandbox)`));
    try {
      await this.#label(step, link);
    } catch (error) {
      await sandbox.socket.exchange([deleteLinkRequest(link.index)]);
      throw error;
    }
  }

  async #label({ host, container }: StepOf<'create-veth'>, link: ObservedInterface): Promise<void> {
    this.#links.sandbox.set(container.name, link);
    if (link.peerIndex !== undefined) this.#links.host.set(host.name, { index: link.peerIndex, mac: host.mac });
    const index = await this.indexOf({ in: 'host', interface: host.name });
    const [aliased] = await this.#namespaces.host.socket.exchange([setAliasRequest(index, host.alias)]);
    if (aliased?.errnoName !== undefined) {
      throw new KernelError('set the alias of', `interface ${host.name} (host)`, aliased.errnoName);
    }
  }

  async indexOf(step: Pick<RequestStep, 'in' | 'interface'>): Promise<number> {
    return (await this.linkOf(step)).index;
  }

  /** The index and the MAC of an interface. They are read from the kernel once. */
  async linkOf({ in: place, interface: name }: Pick<RequestStep, 'in' | 'interface'>): Promise<LinkIdentity> {
    const known = this.#links[place].get(name);
    if (known !== undefined) return known;
    const [reply] = await this.#namespaces[place].socket.exchange([getLinkRequest(name)]);
    const link = decodeLink(payloadOf(reply, 'find', `interface ${name} (${place})`));
    this.#links[place].set(name, link);
    return link;
  }

  /** Queues requests. If the queue holds requests for the other namespace, it sends those first. */
  async add(step: RequestStep, ...requests: readonly NetlinkRequest[]): Promise<void> {
    if (step.in !== this.#place) await this.flush();
    this.#place = step.in;
    this.#queue.push(...requests.map((request) => ({ step, request })));
  }

  /** Sends the queued requests. */
  async flush(): Promise<void> {
    const queue = this.#queue;
    if (queue.length === 0) return;
    this.#queue = [];
    const { socket } = this.#namespaces[this.#place];
    const replies = await socket.exchange(queue.map(({ request }) => request));
    for (const [index, { step }] of queue.entries()) {
      const errnoName = replies[index]?.errnoName;
      if (errnoName === undefined) continue;
      if (step.kind === 'add-route' && errnoName === 'EEXIST') await this.#resolveConflict(step);
      else throw new KernelError(OPERATION[step.kind], objectOf(step), errnoName);
    }
  }

  async #resolveConflict(step: StepOf<'add-route'>): Promise<void> {
    const { socket } = this.#namespaces[step.in];
    const index = await this.indexOf(step);
    const conflicting = await findConflictingRoute(socket, index, step.route);
    if (conflicting.kind === 'identical') return;
    if (step.whenTaken === 'yield') {
      await this.#addBehind(step, index);
      return;
    }
    const { owner } = conflicting;
    const ownerText = owner && `interface ${owner.name} (${owner.alias ?? 'without an alias'})`;
    if (step.in === 'host' && owner !== undefined && this.#isGone(owner)) {
      const [reply] = await socket.exchange([addRouteRequest(index, step.route, 'replace')]);
      if (reply?.errnoName !== undefined) throw new KernelError('replace route', objectOf(step), reply.errnoName);
      this.warnings.push(`replaced the route to ${objectOf(step)}: ${ownerText} had it, whose container is gone`);
      return;
    }
    const explanation =
      ownerText === undefined
        ? 'another route to this destination exists'
        : `${ownerText} already has a route to this destination`;
    throw new KernelError(OPERATION[step.kind], objectOf(step), 'EEXIST', { explanation, owner: owner?.name });
  }

  async #addBehind(step: StepOf<'add-route'>, index: number): Promise<void> {
    const { socket } = this.#namespaces[step.in];
    const firstPriority = effectivePriority(step.route) + 1;
    for (let priority = firstPriority; priority < firstPriority + MAX_ROUTES_TO_ONE_DESTINATION; priority++) {
      const [reply] = await socket.exchange([addRouteRequest(index, { ...step.route, priority })]);
      if (reply?.errnoName === undefined) return;
      if (reply.errnoName !== 'EEXIST') throw new KernelError(OPERATION[step.kind], objectOf(step), reply.errnoName);
    }
    throw new KernelError(OPERATION[step.kind], objectOf(step), 'EEXIST', {
      explanation: `other interfaces already have ${MAX_ROUTES_TO_ONE_DESTINATION} routes to this destination`,
      owner: undefined,
    });
  }

  // EEXIST does not tell which of the two interfaces exists already.
  async #createVethError({ host, container }: StepOf<'create-veth'>, errnoName: string): Promise<KernelError> {
    const [existing] = await this.#namespaces.sandbox.socket.exchange([getLinkRequest(container.name)]);
    const isContainer = errnoName === 'EEXIST' && existing?.errnoName === undefined;
    const object = isContainer ? `interface ${container.name} (sandbox)` : `interface ${host.name} (host)`;
    return new KernelError('create', `veth ${host.name} - ${container.name}: ${object}`, errnoName);
  }
}

// One for each network of the pod; pods with more than a few are unknown.
const MAX_ROUTES_TO_ONE_DESTINATION = 64;

const OPERATION: Readonly<Record<RequestStep['kind'], string>> = {
  'set-up': 'set up',
  'add-route': 'add route',
  'add-address': 'add address',
};

function objectOf(step: RequestStep): string {
  const where = `${step.interface} (${step.in})`;
  if (step.kind === 'set-up') return `interface ${where}`;
  if (step.kind === 'add-address') return `${formatCidr(step.address)} to ${where}`;
  return `${formatCidr(step.route.destination)} on ${where}`;
}

function payloadOf(reply: NetlinkReply | undefined, operation: string, object: string): Uint8Array {
  const payload = reply?.payloads[0];
  if (payload === undefined) throw new KernelError(operation, object, reply?.errnoName ?? 'ENODATA');
  return payload;
}
