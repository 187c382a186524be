import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { toPem } from './to-pem.js';

test('a key and its PEM are the same key to OpenSSL, and to its own writer the same text', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const pem = toPem('PRIVATE KEY', new Uint8Array(der));
  expect(pem).toBe(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  expect(createPrivateKey(pem).equals(privateKey)).toBe(true);
});
