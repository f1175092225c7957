import { setTimeout as pause } from 'node:timers/promises';
import { KernelError, formatErrno } from '../system/kernel-error.ts';
import { decodeErrno, decodeMessages, encodeMessages, type NetlinkMessage, type NetlinkRequest } from './message.ts';
import type { NetlinkTransport, TransportListener } from './transport.ts';
import { NLM_F, NLMSG } from './constants.ts';

/** What became of one request. */
export interface NetlinkReply {
  /** `EEXIST`; undefined: done. */
  readonly errnoName: string | undefined;
  /** What was asked for: one for a question, any number for a dump, none for a change. */
  readonly payloads: readonly Uint8Array[];
}

interface Answer extends NetlinkReply {
  /** The kernel said so itself, and has done nothing: an answer that was lost may stand for a change that was made. */
  readonly mayRepeat: boolean;
}

interface Pending {
  readonly payloads: Uint8Array[];
  isInterrupted: boolean;
  readonly settle: (answer: Answer) => void;
}

/** Tries in all, with a pause before each but the first. */
const PAUSES_MS = [0, 1, 4, 16, 64];
// The kernel gives way under contention (EINTR of a dump that changed meanwhile, EBUSY, EAGAIN) or lack of memory (ENOBUFS).
const TRANSIENT: ReadonlySet<string> = new Set(['EINTR', 'EAGAIN', 'EBUSY', 'ENOBUFS']);

/** Requests and their answers over one transport. */
export class NetlinkSocket implements Disposable {
  readonly #transport: NetlinkTransport;
  readonly #replyTimeoutMs: number;
  readonly #pending = new Map<number, Pending>();
  #lastSequence = 0;
  #isOpen = true;

  /** @param replyTimeoutMs how long an answer may take once the kernel has taken the request */
  constructor(openTransport: (listener: TransportListener) => NetlinkTransport, replyTimeoutMs = 5000) {
    this.#replyTimeoutMs = replyTimeoutMs;
    this.#transport = openTransport({
      received: (datagram) => this.#receive(datagram),
      failed: (name) => this.#fail([...this.#pending.keys()], name),
    });
  }

  /**
   * Sends all requests at once; the kernel works them off in this order and does not stop at one that fails. Where it
   * fails for the moment only, that request and the failed ones behind it are sent again.
   *
   * @returns one reply for each request
   */
  async exchange(requests: readonly NetlinkRequest[]): Promise<readonly NetlinkReply[]> {
    const replies: Answer[] = requests.map(() => ({ errnoName: 'EAGAIN', payloads: [], mayRepeat: true }));
    for (const pauseMs of PAUSES_MS) {
      const first = replies.findIndex(({ mayRepeat }) => mayRepeat);
      if (first < 0) break;
      const repeated = [...requests.entries()].filter(
        ([index]) => index >= first && replies[index]?.errnoName !== undefined,
      );
      if (pauseMs > 0) await pause(pauseMs);
      const answers = await this.#sendOnce(repeated.map(([, request]) => request));
      repeated.forEach(([index], position) => {
        const answer = answers[position];
        if (answer !== undefined) replies[index] = answer;
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

  async #sendOnce(requests: readonly NetlinkRequest[]): Promise<readonly Answer[]> {
    if (!this.#isOpen) return requests.map(() => failed('EBADF'));
    const waits: Promise<Answer>[] = [];
    const messages = requests.map((request): NetlinkMessage => {
      const sequence = ++this.#lastSequence;
      waits.push(new Promise((settle) => this.#pending.set(sequence, { payloads: [], isInterrupted: false, settle })));
      return { ...request, flags: request.flags | NLM_F.REQUEST | NLM_F.ACK, sequence };
    });
    const sequences = messages.map(({ sequence }) => sequence);
    const answers = Promise.all(waits);
    const stopWaiting = this.#send(encodeMessages(messages), sequences);
    try {
      return await answers;
    } finally {
      stopWaiting();
    }
  }

  #send(datagram: Uint8Array, sequences: readonly number[]): () => void {
    let timer: NodeJS.Timeout | undefined;
    let isWaiting = true;
    this.#transport.send(datagram, (name) => {
      if (name !== undefined) this.#fail(sequences, name);
      // The timer is late after a send that took long. The answers are there then, and are read before setImmediate is called.
      else if (isWaiting)
        timer = setTimeout(() => setImmediate(() => this.#fail(sequences, 'ETIMEDOUT')), this.#replyTimeoutMs);
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
    if (pending === undefined) return; // of a request that has timed out
    if ((flags & NLM_F.DUMP_INTR) !== 0) pending.isInterrupted = true;
    if (type !== NLMSG.ERROR && type !== NLMSG.DONE) {
      if (type !== NLMSG.NOOP) pending.payloads.push(payload);
      return;
    }
    const errno = decodeErrno(type, payload);
    this.#pending.delete(sequence);
    const name = errno === 0 && pending.isInterrupted ? 'EINTR' : errno === 0 ? undefined : formatErrno(errno);
    if (name === undefined) pending.settle({ errnoName: undefined, payloads: pending.payloads, mayRepeat: false });
    else pending.settle({ ...failed(name), mayRepeat: TRANSIENT.has(name) });
  }

  #fail(sequences: Iterable<number>, name: string): void {
    for (const sequence of sequences) {
      const pending = this.#pending.get(sequence);
      this.#pending.delete(sequence);
      pending?.settle(failed(name));
    }
  }
}

function failed(name: string): Answer {
  return { errnoName: name, payloads: [], mayRepeat: false };
}
