import { pause } from '../system/pause.ts';
import { KernelError, formatErrno } from '../system/kernel-error.ts';
import { decodeErrno, decodeMessages, encodeMessages, type NetlinkMessage, type NetlinkRequest } from './message.ts';
import type { NetlinkTransport, TransportListener } from './transport.ts';
import { NLM_F, NLMSG } from './constants.ts';

/** The outcome of one request. */
export interface NetlinkReply {
  /** For example `EEXIST`; undefined if the request succeeded. */
  readonly errnoName: string | undefined;
  /** The requested objects: one for a request for one object, any number for a dump, none for a change. */
  readonly payloads: readonly Uint8Array[];
}

interface Outcome extends NetlinkReply {
  /** True if the kernel itself reported a transient error. After a lost reply, the change may have been made. */
  readonly mayRepeat: boolean;
}

interface Pending {
  readonly payloads: Uint8Array[];
  readonly isRequested: ((payload: Uint8Array) => boolean) | undefined;
  isInterrupted: boolean;
  readonly settle: (outcome: Outcome) => void;
}

/** The pause before each attempt. */
const PAUSES_MS = [0, 1, 4, 16, 64];
// Errors of contention (EINTR for a dump whose objects changed meanwhile, EBUSY, EAGAIN) and of lack of memory
// (ENOBUFS).
const TRANSIENT: ReadonlySet<string> = new Set(['EINTR', 'EAGAIN', 'EBUSY', 'ENOBUFS']);

/** Sends requests over one transport and matches the replies to them. */
export class NetlinkSocket implements Disposable {
  readonly #transport: NetlinkTransport;
  readonly #replyTimeoutMs: number;
  readonly #pending = new Map<number, Pending>();
  #lastSequence = 0;
  #isOpen = true;

  /** @param replyTimeoutMs how long to wait for a reply after the kernel has accepted the request */
  constructor(openTransport: (listener: TransportListener) => NetlinkTransport, replyTimeoutMs = 5000) {
    this.#replyTimeoutMs = replyTimeoutMs;
    this.#transport = openTransport({
      received: (datagram) => this.#receive(datagram),
      failed: (name) => this.#fail([...this.#pending.keys()], name),
    });
  }

  /**
   * Sends all requests at once. The kernel processes them in this order and does not stop at one that fails. After a
   * transient error, that request and all later ones that failed are sent again.
   *
   * @returns one reply for each request, in the same order
   */
  async exchange(requests: readonly NetlinkRequest[]): Promise<readonly NetlinkReply[]> {
    const replies: Outcome[] = requests.map(() => ({ errnoName: 'EAGAIN', payloads: [], mayRepeat: true }));
    for (const pauseMs of PAUSES_MS) {
      const first = replies.findIndex(({ mayRepeat }) => mayRepeat);
      if (first < 0) break;
      const repeated = [...requests.entries()].filter(
        ([index]) => index >= first && replies[index]?.errnoName !== undefined,
      );
      if (pauseMs > 0) await pause(pauseMs);
      const outcomes = await this.#sendOnce(repeated.map(([, request]) => request));
      repeated.forEach(([index], position) => {
        const outcome = outcomes[position];
        if (outcome !== undefined) replies[index] = outcome;
      });
    }
    return replies;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#transport.close();
    this.#fail([...this.#pending.keys()], 'EBADF');
  }

  async #sendOnce(requests: readonly NetlinkRequest[]): Promise<readonly Outcome[]> {
    if (!this.#isOpen) return requests.map(() => failedOutcome('EBADF'));
    const waits: Promise<Outcome>[] = [];
    const messages = requests.map(({ openFilter, ...request }): NetlinkMessage => {
      const sequence = ++this.#lastSequence;
      waits.push(
        new Promise((settle) =>
          this.#pending.set(sequence, { payloads: [], isRequested: openFilter?.(), isInterrupted: false, settle }),
        ),
      );
      return { ...request, flags: request.flags | NLM_F.REQUEST | NLM_F.ACK, sequence };
    });
    const sequences = messages.map(({ sequence }) => sequence);
    const outcomes = Promise.all(waits);
    const stopWaiting = this.#send(encodeMessages(messages), sequences);
    try {
      return await outcomes;
    } finally {
      stopWaiting();
    }
  }

  #send(datagram: Uint8Array, sequences: readonly number[]): () => void {
    let timer: NodeJS.Timeout | undefined;
    let isWaiting = true;
    this.#transport.send(datagram, (name) => {
      if (name !== undefined) {
        this.#fail(sequences, name);
      } else if (isWaiting) {
        // After a long send the timer fires at once, although the replies have arrived. setImmediate lets them be read
        // first.
        timer = setTimeout(() => setImmediate(() => this.#fail(sequences, 'ETIMEDOUT')), this.#replyTimeoutMs);
      }
    });
    return () => {
      isWaiting = false;
      clearTimeout(timer);
    };
  }

  #receive(datagram: Uint8Array): void {
    try {
      for (const message of decodeMessages(datagram)) this.#accept(message);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#fail([...this.#pending.keys()], error.errnoName);
    }
  }

  #accept({ type, flags, sequence, payload }: NetlinkMessage): void {
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return; // the request has timed out
    if ((flags & NLM_F.DUMP_INTR) !== 0) pending.isInterrupted = true;
    if (type !== NLMSG.ERROR && type !== NLMSG.DONE) {
      if (type !== NLMSG.NOOP) keep(payload, pending);
      return;
    }
    const errno = decodeErrno(type, payload);
    this.#pending.delete(sequence);
    const name = errno === 0 && pending.isInterrupted ? 'EINTR' : errno === 0 ? undefined : formatErrno(errno);
    if (name === undefined) pending.settle({ errnoName: undefined, payloads: pending.payloads, mayRepeat: false });
    else pending.settle({ ...failedOutcome(name), mayRepeat: TRANSIENT.has(name) });
  }

  #fail(sequences: Iterable<number>, name: string): void {
    for (const sequence of sequences) {
      const pending = this.#pending.get(sequence);
      this.#pending.delete(sequence);
      pending?.settle(failedOutcome(name));
    }
  }
}

function keep(payload: Uint8Array, { isRequested, payloads }: Pending): void {
  if (isRequested === undefined) payloads.push(payload);
  // A copy: the payload is a part of its datagram, which would stay in memory as a whole.
  else if (isRequested(payload)) payloads.push(Buffer.from(payload));
}

function failedOutcome(name: string): Outcome {
  return { errnoName: name, payloads: [], mayRepeat: false };
}
