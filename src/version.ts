/** This program's version, as package.json has it: a literal, so that nothing is read to know it. */
export const PODWIRE_VERSION = '0.1.0';
