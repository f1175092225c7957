import { CniError, ERROR_CODE } from '../../../src/cni/error.ts';
import type { JsonSource } from '../../../src/json/json-reader.ts';

/** A source whose errors are `CniError`s of code 7, and whose messages end with a remedy. */
export const JSON_SOURCE: JsonSource = {
  name: 'the test',
  quotesValues: true,
  error: (message) => new CniError(ERROR_CODE.invalidConfig, `${message}; correct it`),
};

/** A source like the API and kubeconfigs: its errors never quote a value, and consist of the reader's message. */
export const UNQUOTED_SOURCE: JsonSource = { quotesValues: false, error: (message) => new Error(message) };
