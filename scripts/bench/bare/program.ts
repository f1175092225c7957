// The minimum cost of ADD and DEL for a program on this Node. It loads node:tls, makes podwire's requests over one
// connection, runs host-local and ends. It creates no interface, writes no record and does not validate its input.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeSync } from 'node:fs';
import { connect } from 'node:tls';

const { env: environment } = process;
process.exitCode = 1; // until all is done, because a run that ends early would look fast
const isAdd = environment['CNI_COMMAND'] === 'ADD';
const configText = readFileSync(0, 'utf8');
const config: unknown = JSON.parse(configText);
const kubeconfig: unknown = JSON.parse(readFileSync(find(config, 'kubernetes', 'kubeconfig'), 'utf8'));
const cniArgs = new URLSearchParams(environment['CNI_ARGS']?.replaceAll(';', '&'));
const podPath = `/api/v1/namespaces/${cniArgs.get('K8S_POD_NAMESPACE')}/pods/${cniArgs.get('K8S_POD_NAME')}`;
const { hostname, host, port } = new URL(find(kubeconfig, 'clusters', 0, 'cluster', 'server'));
const token = find(kubeconfig, 'users', 0, 'user', 'token');
const headers = `Host: ${host}\r\nAuthorization: Bearer ${token}\r\nAccept: application/json\r\n`;

const socket = connect({
  host: hostname,
  port: Number(port),
  ca: Buffer.from(find(kubeconfig, 'clusters', 0, 'cluster', 'certificate-authority-data'), 'base64'),
  ecdhCurve: 'X25519',
});

let received = '';
let responseCount = 0;
let allocated = '';
if (isAdd) socket.write(`GET /api/v1/nodes/${find(config, 'nodename')} HTTP/1.1\r\n${headers}\r\n`);
else detach();
socket.on('data', (chunk: Buffer) => {
  received += chunk.toString('latin1');
  for (let response = firstResponse(received); response !== undefined; response = firstResponse(received)) {
    received = received.slice(response.length);
    responseCount++;
    if (isAdd && responseCount === 1) attach(response.body);
    else end();
  }
});

function attach(node: string): void {
  runHostLocal(find(JSON.parse(node), 'spec', 'podCIDR'));
  patch(find(JSON.parse(allocated), 'ips', 0, 'address'));
}

// podwire does both at once, too.
function detach(): void {
  patch('');
  runHostLocal('10.0.0.0/24');
}

function runHostLocal(podCidr: string): void {
  const { status, stdout } = spawnSync(`${environment['CNI_PATH']}/host-local`, {
    input: configText.replace('usePodCidr', podCidr),
    env: environment,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`host-local exited with status ${status}: ${stdout.toString()}`);
  allocated = stdout.toString();
}

function patch(address: string): void {
  const body = JSON.stringify({ metadata: { annotations: { 'cni.projectcalico.org/podIP': address } } });
  const type = 'Content-Type: application/merge-patch+json\r\n';
  socket.write(`PATCH ${podPath}/status HTTP/1.1\r\n${headers}${type}Content-Length: ${body.length}\r\n\r\n${body}`);
}

function end(): void {
  if (isAdd) writeSync(1, allocated);
  process.exit(0);
}

/** Returns the value at a path of a JSON document, as text. */
function find(document: unknown, ...path: readonly (string | number)[]): string {
  let value = document;
  for (const key of path) value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  return String(value);
}

/** Parses the first response, with a content length or in chunks; `undefined` until all of it has arrived. */
function firstResponse(text: string): { readonly length: number; readonly body: string } | undefined {
  if (text !== '' && !text.startsWith('HTTP/1.1 200'.slice(0, text.length))) throw new Error(text);
  const bodyAt = text.indexOf('\r\n\r\n') + 4;
  if (bodyAt < 4) return undefined;
  const [, bytes] = /^content-length: (\d+)/im.exec(text.slice(0, bodyAt)) ?? [];
  if (bytes !== undefined) {
    const length = bodyAt + Number(bytes);
    return text.length < length ? undefined : { length, body: text.slice(bodyAt, length) };
  }
  let at = bodyAt;
  let body = '';
  for (;;) {
    const dataAt = text.indexOf('\r\n', at) + 2;
    const size = Number.parseInt(text.slice(at, dataAt), 16);
    at = dataAt + size + 2;
    if (dataAt < 2 || text.length < at) return undefined;
    if (size === 0) return { length: at, body };
    body += text.slice(dataAt, at - 2);
  }
}
