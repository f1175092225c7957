import { describe, expect, it } from 'vitest';
import { makeMetrics } from '../../src/metrics/metrics.ts';
import { PODWIRE_VERSION } from '../../src/version.ts';

const linesOf = async (metrics: ReturnType<typeof makeMetrics>) => (await metrics.format()).split('\n');

describe('the metrics', () => {
  it('of a process that has just started are at 0, without a time when the token expires', async () => {
    const lines = await linesOf(makeMetrics());
    expect(lines).toEqual(
      expect.arrayContaining([
        'podwire_operations_total{command="ADD",code="0"} 0',
        'podwire_operation_duration_seconds_count{command="DEL"} 0',
        'podwire_token_renewals_total{result="failure"} 0',
        'podwire_renewer_ready 0',
        `podwire_build_info{version="${PODWIRE_VERSION}"} 1`,
      ]),
    );
    expect(lines.filter((line) => line.startsWith('podwire_token_expiry'))).toEqual([]);
  });

  it('count commands by their code, and codes of IPAM plugins together', async () => {
    const metrics = makeMetrics();
    metrics.countOperations([
      { command: 'ADD', code: 0, durationMs: 46 },
      { command: 'ADD', code: 11, durationMs: 4000 },
      { command: 'ADD', code: 123_456, durationMs: 1 },
    ]);
    expect(await linesOf(metrics)).toEqual(
      expect.arrayContaining([
        'podwire_operations_total{command="ADD",code="0"} 1',
        'podwire_operations_total{command="ADD",code="11"} 1',
        'podwire_operations_total{command="ADD",code="other"} 1',
        'podwire_operation_duration_seconds_bucket{le="0.05",command="ADD"} 2',
        'podwire_operation_duration_seconds_count{command="ADD"} 3',
      ]),
    );
  });

  it('say what is on the node now, and nothing of what was', async () => {
    const metrics = makeMetrics();
    const network = { network: 'old', leases: [], capacity: [], pendingEndpoints: 7 };
    metrics.setNetworks([network]);
    metrics.setNetworks([
      {
        network: 'pods',
        leases: [{ family: 'ipv4', state: 'attached', count: 3 }],
        capacity: [{ family: 'ipv4', count: 253 }],
        pendingEndpoints: 1,
      },
    ]);
    const lines = await linesOf(metrics);
    expect(lines).toEqual(
      expect.arrayContaining([
        'podwire_leases{network="pods",family="ipv4",state="attached"} 3',
        'podwire_range_capacity{network="pods",family="ipv4"} 253',
        'podwire_pending_endpoints{network="pods"} 1',
      ]),
    );
    expect(lines.filter((line) => line.includes('old'))).toEqual([]);
  });

  it('say when the token expires, and whether it can be renewed', async () => {
    const metrics = makeMetrics();
    metrics.setTokenExpiry(new Date(1_790_000_000_000));
    metrics.countRenewal('success');
    metrics.setReady('ready');
    expect(await linesOf(metrics)).toEqual(
      expect.arrayContaining([
        'podwire_token_expiry_timestamp_seconds 1790000000',
        'podwire_token_renewals_total{result="success"} 1',
        'podwire_renewer_ready 1',
      ]),
    );
  });
});
