import type { Readiness } from '../../system/readiness.ts';
import type { TcpSocket } from '../../system/tcp-socket.ts';

/** Bytes that arrive, and the end of the connection. */
export interface ChannelListener {
  received(bytes: Buffer): void;
  /** Nothing more arrives. `cause` is missing if the peer ended the connection in the regular way. */
  ended(cause?: unknown): void;
}

/** An established connection to a server that is verified. */
export interface Channel {
  /** Starts to receive. Called once. */
  listen(listener: ChannelListener): void;
  /** Sends the bytes, at once or as soon as the socket accepts them. If the connection has ended, the listener is told. */
  send(bytes: Uint8Array): void;
  /** Ends the connection. The listener is called no more. */
  close(): void;
}

/** The bytes inside TCP or TLS. `read` and `write` are those of {@link TcpSocket}. */
export type ByteStream = Pick<TcpSocket, 'read' | 'write'>;

/**
 * Makes a channel of a connected socket, and of what encodes its bytes. The channel disposes of both when it is closed or the connection has
 * ended, but never while another thread waits for the socket.
 */
export function openChannel(socket: TcpSocket, stream: ByteStream, owned: Disposable): Channel {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const outgoing: Uint8Array[] = [];
  let listener: ChannelListener | undefined;
  let state: 'open' | 'ended' | 'released' = 'open';
  let isWaiting = false;

  const isOpen = (): boolean => state === 'open';
  const release = (): void => {
    if (state !== 'ended' || isWaiting) return;
    state = 'released';
    owned[Symbol.dispose]();
  };
  const close = (): void => {
    if (!isOpen()) return;
    state = 'ended';
    socket.shutDown();
    release();
  };
  const end = (...cause: [unknown?]): void => {
    if (!isOpen()) return;
    close();
    listener?.ended(...cause);
  };
  const writeAll = (): readonly Readiness[] => {
    for (let [first] = outgoing; first !== undefined && isOpen(); [first] = outgoing) {
      const written = stream.write(first);
      if (typeof written !== 'number') return [written];
      if (written < first.length) outgoing[0] = first.subarray(written);
      else outgoing.shift();
    }
    return [];
  };
  const readAll = (): readonly Readiness[] => {
    while (isOpen()) {
      const length = stream.read(buffer);
      if (typeof length !== 'number') return [length];
      if (length === 0) end();
      else listener?.received(Buffer.from(buffer.subarray(0, length)));
    }
    return [];
  };
  /** Makes all the progress that is possible, and returns what the socket must be ready for before there is more. */
  const progress = (): readonly Readiness[] => [...writeAll(), ...readAll()];
  const pump = async (): Promise<void> => {
    for (let needed = progress(); isOpen(); needed = progress()) {
      isWaiting = true;
      await socket.wait(needed).finally(() => (isWaiting = false));
    }
    release();
  };
  return {
    listen(newListener) {
      listener = newListener;
      pump().catch(end);
    },
    send(bytes) {
      outgoing.push(bytes);
      if (outgoing.length > 1) return;
      try {
        writeAll(); // the pump sends what is left, when its wait ends
      } catch (error) {
        end(error);
      }
    },
    close,
  };
}

/** The largest record of TLS. */
const READ_BYTES = 16_384;
