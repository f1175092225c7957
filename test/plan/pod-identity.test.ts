import { expect, it } from 'vitest';
import { isSamePod } from '../../src/plan/pod-identity.ts';

const MIRROR = { uid: 'api', annotations: { 'kubernetes.io/config.mirror': 'node' } };

it('the same uid is the same pod', () => expect(isSamePod({ uid: 'a', annotations: {} }, 'a')).toBe(true));
it('another uid is another pod', () => expect(isSamePod({ uid: 'b', annotations: {} }, 'a')).toBe(false));
it('without a uid from the runtime, every pod is the same', () =>
  expect(isSamePod({ uid: 'b', annotations: {} }, undefined)).toBe(true));
it('the mirror of a static pod is the same pod', () => expect(isSamePod(MIRROR, 'node')).toBe(true));
it('the mirror of another static pod is another pod', () => expect(isSamePod(MIRROR, 'other')).toBe(false));
