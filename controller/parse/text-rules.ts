/** The texts that several kinds share, as Kubernetes and Gateway API define them. */
import type { TextRule } from './fields.js';

/** RFC 1123 label: names of namespaces and services. */
export const dnsLabel: TextRule = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  most: 63,
  describe: 'lower-case letters, digits and "-", beginning and ending with a letter or digit',
};

/** RFC 1123 subdomain: names of most objects. */
export const dnsSubdomain: TextRule = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  most: 253,
  describe: 'lower-case DNS labels joined by dots',
};

/** Gateway API Hostname: a DNS name, the first label may be `*`. */
export const hostname: TextRule = {
  pattern: /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  most: 253,
  describe: 'a lower-case DNS name; its first label may be *',
};

/** RFC 9110 token: header names and, as Gateway API has it, query parameter names. */
export const httpToken: TextRule = {
  pattern: /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/,
  most: 256,
  describe: "an HTTP token (letters, digits and !#$%&'*+-.^_`|~)",
};

/** A field value that can be sent: no control characters, no white space around it (RFC 9110 section 5.5). */
export const headerText: TextRule = {
  pattern: /^[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/,
  most: 4096,
  describe: 'visible text without control characters',
};

/** `namespace/name` of a service account. */
export const namespacedName: TextRule = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?\/[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/,
  most: 317,
  describe: 'namespace/name',
};

/** A SPIFFE id (SPIFFE-ID section 2). */
export const spiffeIdText: TextRule = {
  pattern: /^spiffe:\/\/[a-z0-9._-]{1,255}(\/[A-Za-z0-9._-]+)+$/,
  most: 2048,
  describe: 'spiffe://<trust-domain>/<path>',
};

/** A SPIFFE trust domain (SPIFFE-ID section 2.1). */
export const trustDomainText: TextRule = {
  pattern: /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/,
  most: 255,
  describe: 'lower-case letters, digits, ".", "-" and "_"',
};

/** A name below the folders of network namespaces; never a path. */
export const netnsName: TextRule = {
  pattern: /^[A-Za-z0-9_-][A-Za-z0-9._:-]*$/,
  most: 200,
  describe: 'the plain name of a network namespace (as "ip netns" shows it), not a path',
};
