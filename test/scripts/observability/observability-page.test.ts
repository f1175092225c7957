import { describe, expect, it } from 'vitest';
import { OBSERVABILITY_PAGE, withExamples } from '../../../scripts/observability/observability-page.ts';
import { makeMetrics } from '../../../src/metrics/metrics.ts';
import { CALL_SPANS } from '../../../src/telemetry/command-spans.ts';
import { jsonLines } from '../../../src/telemetry/json-line.ts';
import { readPage } from '../../docs/tracked-pages.ts';

const PAGE = readPage(OBSERVABILITY_PAGE);

describe('the page about observability', () => {
  it('describes every metric', async () => {
    const names = [...(await makeMetrics().format()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => `| \`${name}`);
    expect(names.filter((name) => !PAGE.includes(name))).toEqual([]);
  });
  it('describes every span', () =>
    expect(Object.values(CALL_SPANS).filter((name) => !PAGE.includes(`\`${name}\``))).toEqual([]));
  it('describes every field of the log', () => {
    const outcome = { code: 1, details: 'a', finding: 'PW101', cause: 'b' };
    const context = { command: 'ADD', container: 'c', pod: 'p', interface: 'i' };
    const format = jsonLines({ network: 'n', traceId: 't', durationSeconds: () => 1 });
    const fields: object = JSON.parse(format(new Date(0), 'info', 'm', context, outcome));
    expect(Object.keys(fields).filter((name) => !PAGE.includes(`| \`${name}\` |`))).toEqual([]);
  });
});

describe('an example', () => {
  const page = 'a\n<!-- begin x: written by npm run docs:observability -->\nold\n<!-- end x -->\nb\n';
  it('is put between its markers', () =>
    expect(withExamples(page, { x: 'new\n' })).toBe(page.replace('old\n', '\n```\nnew\n```\n\n')));
  it('without markers is an error, and so are markers without an example', () => {
    expect(() => withExamples(page, { x: '', y: '' })).toThrow('lacks the markers of y');
    expect(() => withExamples(page, {})).toThrow('these examples do not exist: x');
  });
});
