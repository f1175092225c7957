import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { parseIpAddress } from '../../src/address/ip-address.ts';

/** A name server, until it is disposed of. */
export interface NameServer extends Disposable {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
}

export interface NameServerOptions {
  /** The IPv4 address of every name; undefined: the server is dead. */
  readonly answer: string | undefined;
  readonly address?: string;
  /** 0: any port that is free. */
  readonly port?: number;
}

/**
 * Starts a name server that knows one address for all names, and no IPv6 address.
 *
 * @see RFC 1035, section 4.1
 */
export async function startNameServer(options: NameServerOptions): Promise<NameServer> {
  const { answer, address = '127.0.0.1', port = 0 } = options;
  const socket = createSocket('udp4');
  if (answer !== undefined) {
    socket.on('message', (query, client) => socket.send(formatAnswer(query, answer), client.port, client.address));
  }
  socket.bind(port, address);
  await once(socket, 'listening');
  return { address: `${address}:${socket.address().port}`, [Symbol.dispose]: () => socket.close() };
}

const HEADER_BYTES = 12;
const TYPE_A = 1;

function formatAnswer(query: Buffer, ipv4: string): Buffer {
  const nameEnd = query.indexOf(0, HEADER_BYTES) + 1;
  const isForIpv4 = query.readUInt16BE(nameEnd) === TYPE_A;
  const flags = [0x81, 0x80]; // a response without an error; recursion is desired and available
  const counts = [0, 1, 0, isForIpv4 ? 1 : 0, 0, 0, 0, 0];
  const question = query.subarray(HEADER_BYTES, nameEnd + 4);
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4, ...parseIpAddress(ipv4).bytes]);
  return Buffer.concat([
    query.subarray(0, 2),
    Buffer.from([...flags, ...counts]),
    question,
    ...(isForIpv4 ? [record] : []),
  ]);
}
