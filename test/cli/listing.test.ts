import { expect, it } from 'vitest';
import { observeIfNode, stateOf } from '../../src/cli/listing.ts';
import { nodeFacts, recordFact, seen, unseen } from '../support/builders/node-facts.ts';
import { cliIo } from '../support/commands/cli-io.ts';

it.each([
  ['ok', recordFact(), nodeFacts()],
  ['old boot', recordFact({ isOfEarlierBoot: true }), nodeFacts()],
  ['no sandbox', recordFact({ hasSandbox: false }), nodeFacts()],
  ['detaching', recordFact({ stage: 'detaching' }), nodeFacts()],
  ['MISSING', recordFact(), nodeFacts({ links: seen([]) })],
  ['no route', recordFact(), nodeFacts({ routes: seen([]) })],
  ['unknown', recordFact(), nodeFacts({ routes: unseen('x') })],
])('%s', (state, record, facts) => expect(stateOf(record, facts)).toBe(state));

it('a machine without podwire is not a node', async () =>
  expect(await observeIfNode(cliIo({ environment: { CNI_NET_DIR: '/none' } }).io)).toBeUndefined());
