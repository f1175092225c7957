import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Operation } from '../operations/record-operation.ts';
import { PODWIRE_VERSION } from '../version.ts';

/** What is on a node at the moment, for one network. */
export interface NetworkGauges {
  readonly network: string;
  /** Empty if the leases of its IPAM plugin are not known. */
  readonly leases: readonly LeaseCount[];
  /** How many addresses its ranges have. Empty if the ranges are not known. */
  readonly capacity: readonly FamilyCount[];
  /** Endpoints that a later command clears. */
  readonly pendingEndpoints: number;
}

interface FamilyCount {
  readonly family: 'ipv4' | 'ipv6';
  readonly count: number;
}

interface LeaseCount extends FamilyCount {
  /** `attached`: its container has a record. `unknown`: no record names its container. `damaged`: it names no container. */
  readonly state: 'attached' | 'unknown' | 'damaged';
}

/** The metrics of podwire on a node. */
export interface Metrics {
  countOperations(operations: readonly Operation[]): void;
  countRenewal(result: 'success' | 'failure'): void;
  setTokenExpiry(expiresAt: Date): void;
  /** Whether the last check of the token has succeeded. */
  setReady(state: 'ready' | 'not ready'): void;
  setNetworks(networks: readonly NetworkGauges[]): void;
  /** In the text format of Prometheus. */
  format(): Promise<string>;
}

/** The media type of {@link Metrics.format}. */
export const METRICS_MEDIA_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Codes from 1000 on are those of an IPAM plugin. They share one label, so that no plugin can make any number of series. */
const MAX_CODE = 999;

/** Makes the metrics, with every series that is known in advance at 0. docs/observability.md lists them. */
export function makeMetrics(): Metrics {
  const registers = [new Registry()];
  const [registry] = registers;
  const operations = new Counter({
    name: 'podwire_operations_total',
    help: 'Commands of the CNI protocol that have ended, by the code of their error; 0 is success.',
    labelNames: ['command', 'code'],
    registers,
  });
  const durations = new Histogram({
    name: 'podwire_operation_duration_seconds',
    help: 'How long commands of the CNI protocol took, from the start of the process.',
    labelNames: ['command'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const leases = new Gauge({
    name: 'podwire_leases',
    help: 'Addresses that host-local has leased; unknown: no record of podwire names the container.',
    labelNames: ['network', 'family', 'state'],
    registers,
  });
  const capacity = new Gauge({
    name: 'podwire_range_capacity',
    help: 'Addresses that host-local can lease on this node.',
    labelNames: ['network', 'family'],
    registers,
  });
  const pendingEndpoints = new Gauge({
    name: 'podwire_pending_endpoints',
    help: 'Endpoints of removed attachments that a later command clears, because the API server was not available.',
    labelNames: ['network'],
    registers,
  });
  const tokenExpiry = new Gauge({
    name: 'podwire_token_expiry_timestamp_seconds',
    help: "When the plugin's token expires, in seconds since 1970.",
    registers,
  });
  const renewals = new Counter({
    name: 'podwire_token_renewals_total',
    help: "Attempts to keep the plugin's token usable: success for each new token, failure for each failed check or request.",
    labelNames: ['result'],
    registers,
  });
  const ready = new Gauge({
    name: 'podwire_renewer_ready',
    help: 'Whether the last check of the token succeeded: 1, or 0.',
    registers,
  });
  new Gauge({ name: 'podwire_build_info', help: 'The version.', labelNames: ['version'], registers }).set(
    { version: PODWIRE_VERSION },
    1,
  );
  for (const result of ['success', 'failure']) renewals.inc({ result }, 0);
  for (const command of ['ADD', 'DEL']) {
    operations.inc({ command, code: '0' }, 0);
    durations.zero({ command });
  }
  tokenExpiry.remove(); // 0 would be a token that has expired
  return {
    countOperations(ended) {
      for (const { command, code, durationMs } of ended) {
        operations.inc({ command, code: code > MAX_CODE ? 'other' : String(code) });
        durations.observe({ command }, durationMs / 1000);
      }
    },
    countRenewal: (result) => renewals.inc({ result }),
    setTokenExpiry: (expiresAt) => tokenExpiry.set(expiresAt.getTime() / 1000),
    setReady: (state) => ready.set(state === 'ready' ? 1 : 0),
    setNetworks(networks) {
      for (const gauge of [leases, capacity, pendingEndpoints]) gauge.reset();
      for (const { network, ...counts } of networks) {
        for (const { family, state, count } of counts.leases) leases.set({ network, family, state }, count);
        for (const { family, count } of counts.capacity) capacity.set({ network, family }, count);
        pendingEndpoints.set({ network }, counts.pendingEndpoints);
      }
    },
    format: () => registry?.metrics() ?? Promise.resolve(''),
  };
}
