import { describe, expect, it } from 'vitest';
import { isAbsent, parseAnswer } from '../../src/cluster/api-answer.ts';
import type { ApiAnswer, ApiRequest } from '../../src/cluster/api-client.ts';
import type { JsonReader } from '../../src/json/json-reader.ts';
import { STRING } from '../../src/json/shapes.ts';
import { parseServerUrl } from '../../src/cluster/wire/server-url.ts';

const answer = (status: number, body: unknown): ApiAnswer => ({
  response: { status, headers: new Map(), body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) },
  connection: { server: parseServerUrl('https://127.0.0.1'), serverSource: 'a test', tls: undefined, token: undefined },
});
const request = (verb: 'get' | 'create'): ApiRequest => ({
  purpose: { verb, resource: 'pods', object: 'pod a' },
  path: '/',
});
const readA = (object: JsonReader) => object.require('a', STRING);
const absent = (name: string) => answer(404, { kind: 'Status', reason: 'NotFound', details: { name } });

describe('an answer', () => {
  it('of success is parsed: 200, and 201 of what was made', () => {
    expect(parseAnswer(answer(200, { a: 'x' }), request('get'), readA)).toBe('x');
    expect(parseAnswer(answer(201, { a: 'x' }), request('create'), readA)).toBe('x');
  });

  const refuses = (why: string, verb: 'get' | 'create', status: number, body: unknown, code: number) =>
    it(`${why}: code ${code}`, () =>
      expect(() => parseAnswer(answer(status, body), request(verb), readA)).toThrow(expect.objectContaining({ code })));
  refuses('200 where something was to be made', 'create', 200, {}, 100);
  refuses('403', 'get', 403, {}, 100);
  refuses('500', 'create', 500, {}, 11);
  refuses('no JSON', 'get', 200, '<html>', 11);
  refuses('not an object', 'get', 200, [], 11);
  refuses('an object without the field', 'get', 200, {}, 11);

  it('is never quoted', () =>
    expect(() => parseAnswer(answer(200, { a: ['s3cr3t'] }), request('get'), readA)).toThrow(
      'API server https://127.0.0.1 gave an unexpected response to get pod a: a: expected a string, got a list',
    ));
});

describe('an object is absent', () => {
  it('if the server reports its name as not found', () => expect(isAbsent(absent('a'), 'a')).toBe(true));
  it('not if the server reports another name as not found', () => expect(isAbsent(absent('b'), 'a')).toBe(false));
  it('not if a proxy does not know the path', () => expect(isAbsent(answer(404, 'not here'), 'a')).toBe(false));
});
