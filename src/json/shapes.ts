import { formatCidr, parseCidr } from '../address/cidr.ts';
import { AddressError, parseIpAddress } from '../address/ip-address.ts';
import { isDnsSubdomain } from './dns-name.ts';
import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** What a member has to be. `parse` gives `undefined` for what is refused. */
export interface Shape<T> {
  readonly wanted: string;
  readonly parse: (value: JsonValue) => T | undefined;
  /** Messages about what is refused name its kind, `a string`, and do not quote it: it is a secret, or could hold one. */
  readonly isHidden?: true;
}

const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]/;

/** `{…}`. */
export const OBJECT: Shape<JsonObject> = {
  wanted: 'an object',
  parse: (value) => (isJsonObject(value) ? value : undefined),
  isHidden: true,
};

/** `[…]`, of whatever. */
export const LIST: Shape<readonly JsonValue[]> = {
  wanted: 'a list',
  parse: (value) => (isJsonList(value) ? value : undefined),
  isHidden: true,
};

/** `true` or `false`; not `"true"`, which some programs take for true and others for an error. */
export const BOOLEAN: Shape<boolean> = {
  wanted: 'true or false',
  parse: (value) => (typeof value === 'boolean' ? value : undefined),
};

/** Text for paths, names and headers: NUL would end a path, a line break a header. */
export const TEXT: Shape<string> = {
  wanted: 'a string without control characters',
  parse: (value) => (typeof value === 'string' && !CONTROL_CHARACTERS.test(value) ? value : undefined),
};

/** As `TEXT`, but never shown. */
export const SECRET: Shape<string> = { ...TEXT, isHidden: true };

/** The name of a Node. */
export const NODE_NAME = text('the name of a node (RFC 1123: lower case, digits, "-" and ".")', isDnsSubdomain);

/** A program's file name in CNI_PATH. A `/` would reach programs outside (CVE-2021-20206). */
export const PLUGIN_NAME = text('the file name of a plugin in CNI_PATH, without "/"', (name) =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/.test(name),
);

/** `http://` or `https://`. */
export const HTTP_URL = text(
  'an http:// or https:// URL',
  (url) => /^https?:\/\//i.test(url) && !CONTROL_CHARACTERS.test(url) && URL.canParse(url),
);

/** ADDRESS/LENGTH, made canonical. */
export const CIDR = canonical('ADDRESS/LENGTH such as "10.0.0.5/32"', (value) => formatCidr(parseCidr(value)));

/** An address, made canonical. */
export const ADDRESS = canonical('an IP address', (value) => parseIpAddress(value).text);

/** A whole number in these bounds; `1e3` is one in JSON, `"1000"` is not. */
export function wholeNumber(least: number, most: number): Shape<number> {
  return {
    wanted: `a whole number from ${least} to ${most}`,
    parse: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : undefined,
  };
}

function text(wanted: string, accepts: (value: string) => boolean): Shape<string> {
  return { wanted, parse: (value) => (typeof value === 'string' && accepts(value) ? value : undefined) };
}

function canonical(wanted: string, format: (value: string) => string): Shape<string> {
  return {
    wanted,
    parse: (value: JsonValue) => {
      try {
        return typeof value === 'string' ? format(value) : undefined;
      } catch (error) {
        if (error instanceof AddressError) return undefined;
        throw error;
      }
    },
  };
}
