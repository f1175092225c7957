import { formatCidr } from '../address/cidr.ts';
import type { Place, Route, Step } from '../plan/step.ts';
import { addAddressRequest } from '../netlink/address-message.ts';
import { KernelError } from '../system/kernel-error.ts';
import {
  createVethRequest,
  decodeLink,
  decodePeerIndex,
  getLinkRequest,
  setAliasRequest,
  setUpRequest,
} from '../netlink/link-message.ts';
import type { NetlinkRequest } from '../netlink/message.ts';
import type { NetlinkReply } from '../netlink/socket.ts';
import { findConflictingRoute } from './conflicting-route.ts';
import { addRouteRequest } from '../netlink/route-message.ts';
import type { Namespace } from './namespace.ts';
import { writeSysctl } from './sysctl.ts';

/** `netnsFd`: descriptor of the host's, for the kernel to make the host interface in. */
export type Namespaces = Readonly<Record<Place, Namespace>> & { readonly netnsFd: number };

/**
 * Carries out steps in their order. Requests that follow each other in one namespace go out together, and the kernel does
 * not stop at one that fails: those behind it may have been carried out when this throws.
 *
 * @throws {KernelError} naming the first step that failed
 */
export async function applySteps(steps: readonly Step[], namespaces: Namespaces): Promise<void> {
  const run = new StepRun(namespaces);
  for (const step of steps) {
    switch (step.kind) {
      case 'create-veth':
        await run.flush();
        await run.createVeth(step);
        break;
      case 'write-sysctl':
        await run.flush();
        namespaces[step.in].run(() => writeSysctl(step));
        break;
      case 'set-up':
        await run.add(step, setUpRequest(step.interface));
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
}

type CreateVeth = Extract<Step, { kind: 'create-veth' }>;
type RequestStep = Extract<Step, { kind: 'set-up' | 'add-route' | 'add-address' }>;

/** What a list of steps has found out so far, and what of it is still to be sent. */
class StepRun {
  readonly #namespaces: Namespaces;
  readonly #indices: Readonly<Record<Place, Map<string, number>>> = { host: new Map(), sandbox: new Map() };
  #place: Place = 'host';
  #waiting: { readonly step: RequestStep; readonly request: NetlinkRequest }[] = [];

  constructor(namespaces: Namespaces) {
    this.#namespaces = namespaces;
  }

  async createVeth(step: CreateVeth): Promise<void> {
    const { host, container } = step;
    const { sandbox, netnsFd } = this.#namespaces;
    const [created, found] = await sandbox.socket.exchange([
      createVethRequest(step, netnsFd),
      getLinkRequest(container.name),
    ]);
    if (created?.errnoName !== undefined) throw await this.#createRefused(step, created.errnoName);
    const payload = payloadOf(found, 'find', `interface ${container.name} (sandbox)`);
    this.#indices.sandbox.set(container.name, decodeLink(payload).index);
    const hostIndex = decodePeerIndex(payload);
    if (hostIndex !== undefined) this.#indices.host.set(host.name, hostIndex);
    const index = await this.indexOf({ in: 'host', interface: host.name });
    const [aliased] = await this.#namespaces.host.socket.exchange([setAliasRequest(index, host.alias)]);
    if (aliased?.errnoName !== undefined)
      throw new KernelError('set the alias of', `interface ${host.name} (host)`, aliased.errnoName);
  }

  /** The index of an interface, asked for once. */
  async indexOf({ in: place, interface: name }: Pick<RequestStep, 'in' | 'interface'>): Promise<number> {
    const known = this.#indices[place].get(name);
    if (known !== undefined) return known;
    const [found] = await this.#namespaces[place].socket.exchange([getLinkRequest(name)]);
    const { index } = decodeLink(payloadOf(found, 'find', `interface ${name} (${place})`));
    this.#indices[place].set(name, index);
    return index;
  }

  /** Sends a request with those that wait already, or after them if they are for the other namespace. */
  async add(step: RequestStep, request: NetlinkRequest): Promise<void> {
    if (step.in !== this.#place) await this.flush();
    this.#place = step.in;
    this.#waiting.push({ step, request });
  }

  async flush(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    const { socket } = this.#namespaces[this.#place];
    const replies = await socket.exchange(waiting.map(({ request }) => request));
    for (const [index, { step }] of waiting.entries()) {
      const name = replies[index]?.errnoName;
      if (name === undefined) continue;
      if (step.kind === 'add-route' && name === 'EEXIST') await this.#acceptIdentical(step, step.route);
      else throw new KernelError(OPERATION[step.kind], objectOf(step), name);
    }
  }

  async #acceptIdentical(step: RequestStep, route: Route): Promise<void> {
    const { socket } = this.#namespaces[step.in];
    const found = await findConflictingRoute(socket, await this.indexOf(step), route);
    if (found.kind === 'identical') return;
    const explanation =
      found.owner === undefined
        ? 'another route has this destination'
        : `interface ${found.owner} has a route to it already`;
    throw new KernelError(OPERATION[step.kind], objectOf(step), 'EEXIST', { explanation, owner: found.owner });
  }

  // EEXIST does not say which of the two ends is there already.
  async #createRefused({ host, container }: CreateVeth, name: string): Promise<KernelError> {
    const [taken] = await this.#namespaces.sandbox.socket.exchange([getLinkRequest(container.name)]);
    const isContainers = name === 'EEXIST' && taken?.errnoName === undefined;
    const object = isContainers ? `interface ${container.name} (sandbox)` : `interface ${host.name} (host)`;
    return new KernelError('create', `veth ${host.name} - ${container.name}: ${object}`, name);
  }
}

const OPERATION: Readonly<Record<RequestStep['kind'], string>> = {
  'set-up': 'set up',
  'add-route': 'add route',
  'add-address': 'add address',
};

function objectOf(step: RequestStep): string {
  const where = `${step.interface} (${step.in})`;
  if (step.kind === 'set-up') return `interface ${where}`;
  if (step.kind === 'add-address') return `${formatCidr(step.address)} to ${where}`;
  return `${formatCidr(step.route.destination)} by ${where}`;
}

function payloadOf(reply: NetlinkReply | undefined, operation: string, object: string): Uint8Array {
  const payload = reply?.payloads[0];
  if (payload === undefined) throw new KernelError(operation, object, reply?.errnoName ?? 'ENODATA');
  return payload;
}
