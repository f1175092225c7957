// Runs one ADD, CHECK, STATUS and DEL of the bundle, with the real kernel, and with an API server and an IPAM plugin
// that give fixed responses:
//   scripts/in-private-namespace.sh -- node build/rehearsal.ts COMMAND [ARGUMENTS]
// COMMAND runs the bundle: build/code-cache-recorder.ts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { makeCertificateAuthority } from '../test/lab/certificates/certificate-authority.ts';
import { makeKubeconfig } from '../test/lab/api-server/kubeconfig.ts';
import { makeSandbox } from '../test/lab/namespaces/network-namespace.ts';
import { runtimeEnvironment } from '../test/lab/runtime-call.ts';

const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    namespace: 'default',
    name: 'pod',
    uid: '00000000-0000-4000-8000-000000000001',
    resourceVersion: '1',
    labels: {},
  },
  spec: { nodeName: 'node', serviceAccountName: 'default', containers: [] },
  status: { phase: 'Pending' },
};
const NODE = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node', uid: '00000000-0000-4000-8000-000000000002' },
  spec: { podCIDR: '192.0.2.0/24', podCIDRs: ['192.0.2.0/24', '2001:db8::/64'] },
};
const LEASE = {
  cniVersion: '1.1.0',
  ips: [
    { address: '192.0.2.77/24', gateway: '192.0.2.1' },
    { address: '2001:db8::77/64', gateway: '2001:db8::1' },
  ],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
  dns: {},
};

const VERSIONS = { cniVersion: '1.1.0', supportedVersions: ['1.0.0', '1.1.0'] };

// V8 numbers functions in the order of their calls. With these delays, whatever the program does during a request is
// finished before the response arrives, on a busy machine too, so that two builds produce the same code cache.
const GET_MS = 100;
const PATCH_MS = 400;

// The IPAM plugin ends some time after its output, so that the program always has to wait for its end.
const END_LATER = 'exec >&-\nsleep 0.1\n';

const annotations = new Map<string, string>();
const folder = await mkdtemp('/run/podwire-rehearsal-');
const authority = makeCertificateAuthority('rehearsal');
const { certificatePem, keyPem } = authority.issue({ commonName: 'server', subjectAlternativeNames: ['127.0.0.1'] });
const server = createServer({ cert: certificatePem, key: keyPem }, (request, response) => {
  respond(request, response).catch((error: Error) => response.destroy(error));
});
try {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await rehearse(`https://127.0.0.1:${portOf(server)}`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const patch = await text(request);
  // ADD sends `"name":"value"`, and DEL a JSON Patch, `{"op":"add","path":"/metadata/annotations/name","value":"value"}`.
  const written = /(?:"|"add","path":"\/metadata\/annotations\/)(cni\.[^"]+)"(?::|,"value":)"([^"]*)"/g;
  for (const [, name = '', value = ''] of patch.matchAll(written)) annotations.set(name.replace('~1', '/'), value);
  await pause(request.method === 'PATCH' ? PATCH_MS : GET_MS);
  const pod = { ...POD, metadata: { ...POD.metadata, annotations: Object.fromEntries(annotations) } };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(request.url?.includes('/nodes/') === true ? NODE : pod));
}

async function rehearse(serverUrl: string): Promise<void> {
  const kubeconfig = makeKubeconfig(serverUrl, authority.certificatePem, { token: 'an-example-token' });
  const jsonPath = join(folder, 'kubeconfig.json');
  const yamlPath = join(folder, 'kubeconfig.yaml');
  await writeFile(jsonPath, JSON.stringify(kubeconfig), { mode: 0o600 });
  await writeFile(yamlPath, stringify(kubeconfig), { mode: 0o600 });
  const delegate = `#!/bin/sh\ncat >/dev/null\ncase $CNI_COMMAND in ADD) echo '${JSON.stringify(LEASE)}' ;; VERSION) echo '${JSON.stringify(VERSIONS)}' ;; esac\n${END_LATER}`;
  await writeFile(join(folder, 'host-local'), delegate, { mode: 0o755 });
  const config = {
    cniVersion: '1.1.0',
    name: 'k8s-pod-network',
    type: 'podwire',
    datastore_type: 'kubernetes',
    nodename: 'node',
    log_level: 'info',
    ipam: { type: 'host-local', ranges: [[{ subnet: 'usePodCidr' }], [{ subnet: 'usePodCidrIPv6' }]] },
    kubernetes: { kubeconfig: jsonPath },
  };
  await using sandbox = await makeSandbox();
  // The first ADD of a boot is the only one that knows no podCIDRs beforehand.
  await command('ADD', sandbox.path, config);
  await command('DEL', sandbox.path, config);
  const result: unknown = JSON.parse(await command('ADD', sandbox.path, config));
  await command('CHECK', sandbox.path, { ...config, prevResult: result });
  await command('STATUS', sandbox.path, config);
  // Most kubeconfigs that people write are YAML. The YAML parser is a separate part with its own cache.
  await command('DEL', sandbox.path, { ...config, kubernetes: { kubeconfig: yamlPath }, prevResult: result });
}

async function command(verb: 'ADD' | 'CHECK' | 'STATUS' | 'DEL', sandboxPath: string, config: object): Promise<string> {
  const [program = '', ...programArguments] = process.argv.slice(2);
  const environment = runtimeEnvironment({
    verb,
    containerId: 'rehearsal',
    interfaceName: 'eth0',
    sandboxPath,
    pluginPath: folder,
    pod: { namespace: 'default', name: 'pod' },
  });
  const child = spawn(program, programArguments, { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(config));
  const ended = once(child, 'close');
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  await ended;
  if (child.exitCode !== 0) throw new Error(`${verb} failed in the rehearsal: ${output}`);
  return output;
}

function portOf(listening: Server): number {
  const address = listening.address();
  if (typeof address !== 'object' || address === null) {
    throw new Error('the API server of the rehearsal does not listen');
  }
  return address.port;
}
