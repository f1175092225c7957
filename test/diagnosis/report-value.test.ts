import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, it } from 'vitest';
import { arrange, diagnose } from '../../src/diagnosis/diagnose.ts';
import { found, passed, skipped } from '../../src/diagnosis/finding.ts';
import { reportValue } from '../../src/diagnosis/report-value.ts';
import { REPOSITORY } from '../docs/tracked-pages.ts';
import { nodeFacts, NOON_MS } from '../support/builders/node-facts.ts';

const SCHEMA: object = JSON.parse(readFileSync(join(REPOSITORY, 'docs/doctor.schema.json'), 'utf8'));
const validate = new Ajv({ strict: true }).compile(SCHEMA);
const HEADER = { nodeName: 'node-1', version: '0.1.0', nowMs: NOON_MS };

const SICK = arrange([
  found('PW401', 'failed', 'It is refused.', { evidence: [['file', '/k']], fix: ['kubectl'] }),
  found('PW602', 'failed', 'ADD fails.'),
  passed('PW201', 'it answers'),
  skipped('PW101', 'no socket'),
]);

it('the value of a healthy node has the schema', () => {
  const value = reportValue(diagnose(nodeFacts()), HEADER);
  expect([validate(value), validate.errors]).toEqual([true, null]);
  expect(value).toMatchObject({ schema: 1, verdict: 'ok', findings: [] });
});

it('the value of a node with findings has the schema', () => {
  const value = reportValue(SICK, HEADER);
  expect([validate(value), validate.errors]).toEqual([true, null]);
  expect(value).toMatchObject({
    verdict: 'fail',
    findings: [
      {
        id: 'PW401',
        severity: 'fail',
        evidence: [{ label: 'file', text: '/k' }],
        fix: ['kubectl'],
        doc: 'docs/troubleshooting.md#pw401',
        consequences: [{ id: 'PW602', consequences: [] }],
      },
    ],
    passed: [{ id: 'PW201', summary: 'it answers' }],
    skipped: [{ id: 'PW101', summary: 'no socket' }],
  });
});

it('a node without a name has the name null', () =>
  expect(reportValue(SICK, { ...HEADER, nodeName: undefined }).node).toBeNull());

it('the schema refuses a value of another version', () =>
  expect(validate({ ...reportValue(SICK, HEADER), schema: 2 })).toBe(false));
