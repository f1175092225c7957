import { parseCidr, type Cidr } from '../address/cidr.ts';
import { AddressError, parseIpAddress, type IpAddress } from '../address/ip-address.ts';
import { isDnsSubdomain } from './dns-name.ts';
import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** What a member must be. `parse` returns `undefined` for a value that does not have the shape. */
export interface Shape<T> {
  /** For messages, after the word "expected". */
  readonly expected: string;
  readonly parse: (value: JsonValue) => T | undefined;
  /** Messages name the kind of a rejected value, `a string`, and do not quote it: it is or could contain a secret. */
  readonly isHidden?: true;
}

const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]/;

/** `{…}`. */
export const OBJECT: Shape<JsonObject> = {
  expected: 'an object',
  parse: (value) => (isJsonObject(value) ? value : undefined),
  isHidden: true,
};

/** `[…]`, with any items. */
export const LIST: Shape<readonly JsonValue[]> = {
  expected: 'a list',
  parse: (value) => (isJsonList(value) ? value : undefined),
  isHidden: true,
};

/** `true` or `false`; not `"true"`, which some programs accept as true and others reject. */
export const BOOLEAN: Shape<boolean> = {
  expected: 'true or false',
  parse: (value) => (typeof value === 'boolean' ? value : undefined),
};

/** Any string. */
export const STRING: Shape<string> = stringShape('a string', () => true);

/** Any string but `""`. */
export const NON_EMPTY_STRING: Shape<string> = stringShape('a string that is not empty', (text) => text !== '');

/** A string that is safe in a path, a name or an HTTP header: NUL would end a path, a line break a header. */
export const TEXT: Shape<string> = stringShape(
  'a string without control characters',
  (text) => !CONTROL_CHARACTERS.test(text),
);

/** A path that begins at `/`. */
export const ABSOLUTE_PATH: Shape<string> = stringShape(
  'an absolute path without control characters',
  (text) => text.startsWith('/') && !CONTROL_CHARACTERS.test(text),
);

/** Like `TEXT`, but messages never quote it. */
export const SECRET: Shape<string> = { ...TEXT, isHidden: true };

/** The name of a Node. */
export const NODE_NAME = stringShape('the name of a node (RFC 1123: lower case, digits, "-" and ".")', isDnsSubdomain);

/** A program's file name in CNI_PATH. A `/` would reach programs outside (CVE-2021-20206). */
export const PLUGIN_NAME = stringShape('the file name of a plugin in CNI_PATH, without "/"', (name) =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/.test(name),
);

/** `http://` or `https://`. */
export const HTTP_URL = stringShape(
  'an http:// or https:// URL',
  (url) => /^https?:\/\//i.test(url) && !CONTROL_CHARACTERS.test(url) && URL.canParse(url),
);

/** ADDRESS/LENGTH. */
export const CIDR: Shape<Cidr> = addressShape('ADDRESS/LENGTH such as "10.0.0.5/32"', parseCidr);

/** An address without a prefix length. */
export const ADDRESS: Shape<IpAddress> = addressShape('an IP address', parseIpAddress);

/** A whole number within these bounds. In JSON, `1e3` is one and `"1000"` is not. */
export function wholeNumber(min: number, max: number): Shape<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    parse: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : undefined,
  };
}

function stringShape(expected: string, accepts: (value: string) => boolean): Shape<string> {
  return { expected, parse: (value) => (typeof value === 'string' && accepts(value) ? value : undefined) };
}

function addressShape<T>(expected: string, parse: (value: string) => T): Shape<T> {
  return {
    expected,
    parse: (value) => {
      if (typeof value !== 'string') return undefined;
      try {
        return parse(value);
      } catch (error) {
        if (error instanceof AddressError) return undefined;
        throw error;
      }
    },
  };
}
