import { describe, expect, it } from 'vitest';
import { callsTo, openTrace, traced } from '../../src/telemetry/traced.ts';

function aTrace() {
  const lines: string[] = [];
  const trace = openTrace({ PODWIRE_TRACE: '1' }, (text) => void lines.push(text));
  const labels = () => lines.map((line) => line.replace(/^trace \d+\.\d{3} /, '').trimEnd());
  return { trace, lines, labels };
}

class Counter {
  #count = 0;
  readonly unit = 'pods';
  add(by: number): number {
    this.#count += by;
    return this.#count;
  }
  async addLater(by: number): Promise<number> {
    return this.add(by);
  }
  async fail(): Promise<never> {
    throw new Error('no');
  }
}

describe('the trace', () => {
  it.each([{}, { PODWIRE_TRACE: '' }, { PODWIRE_TRACE: '0' }, { PODWIRE_TRACE: 'true' }])(
    'is off with %o',
    (environment) => {
      expect(openTrace(environment, () => undefined)).toBeUndefined();
    },
  );

  it('is a line for each label, with the milliseconds since the process started', () => {
    const { trace, lines } = aTrace();
    trace?.('request parsed');
    expect(lines).toEqual([expect.stringMatching(/^trace \d+\.\d{3} request parsed\n$/)]);
  });

  it('that is off returns the effect itself', () => {
    const effect = new Counter();
    expect(traced('counter', effect, undefined)).toBe(effect);
  });

  it('shows where each call begins and ends, and changes no call', async () => {
    const { trace, labels } = aTrace();
    const counter = traced('counter', new Counter(), callsTo(trace));
    expect(counter.unit).toBe('pods');
    expect(counter.add(2)).toBe(2);
    expect(await counter.addLater(3)).toBe(5);
    await expect(counter.fail()).rejects.toThrow('no');
    expect(labels()).toEqual(
      ['add', 'addLater', 'fail'].flatMap((name) => [`begin counter.${name}`, `end counter.${name}`]),
    );
  });
});
