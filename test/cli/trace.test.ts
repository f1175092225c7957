import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runTrace, type TraceOptions } from '../../src/cli/trace.ts';
import { formatOtlp } from '../../src/telemetry/otlp.ts';
import { makeFolder } from '../log/make-folder.ts';
import { cliIo } from '../support/commands/cli-io.ts';

const lineOf = (traceId: string, startedUnixNs: bigint) =>
  formatOtlp({
    traceId,
    callerId: undefined,
    resource: {},
    version: '1',
    startedUnixNs,
    spans: [
      {
        id: '11',
        parentId: undefined,
        name: `command ${traceId}`,
        kind: 'server',
        beginMs: 0,
        endMs: 3,
        attributes: {},
      },
    ],
  });

async function run(
  options: Partial<TraceOptions>,
  text = `${lineOf('aa', 1_790_000_000_000_000_000n)}${lineOf('bb', 1_790_000_001_000_000_000n)}`,
) {
  using folder = makeFolder();
  const filePath = join(folder.path, 'spans.jsonl');
  const svgPath = join(folder.path, 'a.svg');
  writeFileSync(filePath, text);
  const captured = cliIo();
  const status = await runTrace(
    { filePath, id: undefined, isList: false, ...options, svgPath: options.svgPath && svgPath },
    captured.io,
  );
  return { status, stdout: captured.stdout, svg: options.svgPath && readFileSync(svgPath, 'utf8') };
}

describe('podwire trace', () => {
  it('draws the last trace', async () => expect((await run({})).stdout).toContain('command bb, 3.0 ms'));
  it('draws the trace with an id', async () => expect((await run({ id: 'a' })).stdout).toContain('command aa'));
  it('lists all traces', async () =>
    expect((await run({ isList: true })).stdout).toMatch(/aa +2026-\S+ +command aa.*\nbb/));
  it('writes a picture', async () => {
    const { stdout, svg } = await run({ svgPath: 'a.svg' });
    expect(stdout).toBe('');
    expect(svg).toContain('<svg');
  });
  it('says what is missing, and what to do', async () => {
    await expect(run({ id: 'zz' })).rejects.toThrow(/no trace whose id begins with zz: .*--list/);
    await expect(run({}, '')).rejects.toThrow('has no spans');
    await expect(run({ filePath: '/none' })).rejects.toThrow(/cannot read \/none.*trace_file/);
  });
});
