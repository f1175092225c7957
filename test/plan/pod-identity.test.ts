import { expect, it } from 'vitest';
import { isSamePod } from '../../src/plan/pod-identity.ts';

const MIRROR = { uid: 'api', annotations: { 'kubernetes.io/config.mirror': 'node' } };

it('the same uid', () => expect(isSamePod({ uid: 'a', annotations: {} }, 'a')).toBe(true));
it('another uid', () => expect(isSamePod({ uid: 'b', annotations: {} }, 'a')).toBe(false));
it('a runtime that sends none', () => expect(isSamePod({ uid: 'b', annotations: {} }, undefined)).toBe(true));
it('a static pod and its mirror', () => expect(isSamePod(MIRROR, 'node')).toBe(true));
it('another static pod', () => expect(isSamePod(MIRROR, 'other')).toBe(false));
