/** What the parser does not know about a key of the network configuration. */
export interface KeyText {
  /** `budgets.api_connect_ms`. */
  readonly key: string;
  /** Undefined for a key without a unit. */
  readonly unit?: string;
  readonly default: string;
  /** The first release that has it. */
  readonly since: string;
  /** A valid value, as JSON. */
  readonly example: string;
  readonly meaning: string;
}

const FIRST = '0.1.0';

const key = (
  name: string,
  defaultValue: string,
  example: string,
  meaning: string,
  more: { readonly unit?: string; readonly since?: string } = {},
): KeyText => ({
  key: name,
  default: defaultValue,
  example,
  meaning,
  since: more.since ?? FIRST,
  ...(more.unit !== undefined && { unit: more.unit }),
});

/** The keys in the sections of docs/configuration.md. */
export const SECTIONS: Readonly<Record<string, readonly KeyText[]>> = {
  network: [
    key('cniVersion', '`0.1.0`', '"1.0.0"', '0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0 or 1.1.0'),
    key('name', 'required', '"k8s-pod-network"', "the network's name; host-local stores its leases under it"),
    key('type', 'required', '"podwire"', "the executable's file name in CNI_PATH"),
    key(
      'mtu',
      "the agent's, then the kernel's",
      '1450',
      'for both ends. If not set: the number in `/var/lib/calico/mtu`, which the agent writes; without that file: 1500',
      { unit: 'bytes' },
    ),
    key(
      'require_mtu_file',
      '`false`',
      'true',
      '`true`: without `mtu`, ADD fails with code 11 (try again later) until the agent has written `/var/lib/calico/mtu`',
    ),
    key('num_queues', "the kernel's", '4', 'queues of the veth'),
    key(
      'include_default_routes',
      '`false`',
      'true',
      '`true`: add the default routes even if `ipam.routes` lists others',
    ),
    key(
      'route_localnet',
      'see below',
      'false',
      "packets to 127.0.0.0/8 may pass, or not, between the node and the pod's host interface",
      { since: 'unreleased' },
    ),
    key('container_settings.allow_ip_forwarding', '`false`', 'true', '`true`: the pod may forward packets'),
    key(
      'dns',
      "the IPAM plugin's",
      '{"nameservers": ["10.96.0.10"]}',
      '`nameservers`, `domain`, `search`, `options`, for the result',
    ),
  ],
  addresses: [
    key(
      'ipam',
      'required',
      '{"type": "host-local", "subnet": "usePodCidr"}',
      'the configuration of the IPAM plugin; keys that are not listed here are its own, such as `dataDir`',
    ),
    key('ipam.type', 'required', '"host-local"', 'file name of the IPAM plugin in CNI_PATH'),
  ],
  node: [
    key('nodename', 'see the next rows', '"node-1"', "the name of this machine's Node"),
    key(
      'nodename_file',
      '`/var/lib/calico/nodename`',
      '"/var/lib/calico/nodename"',
      'read if `nodename` is not set; the agent writes it',
    ),
    key('nodename_file_optional', '`false`', 'true', '`true`: without that file, use the host name in lower case'),
    key('kubernetes.node_name', '`nodename`', '"node-1"', 'the Node whose podCIDRs are used, if it is another'),
  ],
  time: [
    key('budgets.api_connect_ms', '1000', '2000', 'one TCP connection to the API server', { unit: 'ms' }),
    key('budgets.api_request_ms', '2000', '4000', 'one request, or the TLS handshake', { unit: 'ms' }),
    key('budgets.add_api_ms', '4000', '8000', 'all API requests of one ADD, CHECK or STATUS', { unit: 'ms' }),
    key(
      'budgets.del_api_ms',
      '1500',
      '3000',
      'all API requests of one DEL or GC, or of undoing an ADD. If the time is used up, DEL still succeeds, because the node is clean by then',
      { unit: 'ms' },
    ),
    key('budgets.delegate_ms', '10000', '20000', 'one run of the IPAM plugin, which is then killed', { unit: 'ms' }),
  ],
  waiting: [
    key(
      'readiness_gates',
      'none',
      '["http://localhost:9099/readiness"]',
      'URLs that must answer 2xx before a pod is attached; podwire asks every second for at most 30 s',
    ),
    key(
      'policy_setup_timeout_seconds',
      '0: no waiting',
      '10',
      "how long ADD waits for the agent to report that the pod's policy is in force. After that the pod starts anyway, with a warning in the log",
      { unit: 's' },
    ),
    key(
      'endpoint_status_dir',
      '`/var/run/calico/endpoint-status`',
      '"/var/run/calico/endpoint-status"',
      'the folder where the agent reports it',
    ),
  ],
  log: [
    key('log_level', '`info`', '"debug"', '`debug`, `info`, `warning` (`warn`), `error`; anything else is `info`'),
    key('log_file_path', 'none', '"/var/log/podwire/cni.log"', 'the file (0600); its folder is created (0700)'),
    key('log_file_max_size', '100', '10', 'size after which the file is renamed', { unit: 'MiB' }),
    key('log_file_max_age', '30', '7', 'age after which renamed files are deleted', { unit: 'days' }),
    key('log_file_max_count', '10', '5', 'renamed files that are kept'),
  ],
  pods: [key('feature_control.floating_ips', '`false`', 'true', '`true`: pods may have the annotation `floatingIPs`')],
};

/** Keys that docs/configuration.md describes beside the variables that have the same meaning. */
export const KEYS_WITH_VARIABLES = [
  'datastore_type',
  'kubernetes.kubeconfig',
  'kubernetes.k8s_api_root',
  'policy.k8s_api_root',
  'policy.k8s_auth_token',
  'policy.k8s_client_certificate',
  'policy.k8s_client_key',
  'policy.k8s_certificate_authority',
] as const;

/** Keys that a runtime adds, and people never write. */
export const KEYS_OF_RUNTIME = ['prevResult', 'cni.dev/attachments', 'cni.dev/valid-attachments'] as const;
