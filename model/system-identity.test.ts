import {
  controllerSpiffeId,
  isNodeName,
  nodeOfSpiffeId,
  nodeSpiffeId,
  trustDomainOfController,
} from './system-identity.js';
import { spiffeId } from './workload.js';

const domain = 'mesh.example';

test('a node`s name leads to its id and back', () => {
  expect(nodeSpiffeId(domain, 'node-a.lan')).toBe('spiffe://mesh.example/weft/node/node-a.lan');
  expect(nodeOfSpiffeId(nodeSpiffeId(domain, 'node-a.lan'), domain)).toBe('node-a.lan');
  expect(trustDomainOfController(controllerSpiffeId(domain))).toBe(domain);
});

test.each([
  spiffeId({ trustDomain: domain, namespace: 'shop', serviceAccount: 'cart' }),
  nodeSpiffeId('other.example', 'node-a'),
  nodeSpiffeId(domain, ''),
  nodeSpiffeId(domain, 'a/b'),
  nodeSpiffeId(domain, '../ns/shop'),
  nodeSpiffeId(domain, 'Node'),
  controllerSpiffeId(domain),
  'spiffe://mesh.examplex/weft/node/a',
])('%s names no node of the mesh', (id) => expect(nodeOfSpiffeId(id, domain)).toBeNull());

test('only the controller`s own id is a controller`s', () => {
  for (const id of [
    nodeSpiffeId(domain, 'a'),
    `${controllerSpiffeId(domain)}/x`,
    'spiffe:///weft/controller',
  ]) {
    expect(trustDomainOfController(id)).toBeNull();
  }
});

test('names of nodes are DNS names', () => {
  expect(['a', 'a.b-c', '0'].every(isNodeName)).toBe(true);
  expect(['', '-a', 'a-', 'A', 'a/b', 'a'.repeat(254)].some(isNodeName)).toBe(false);
});
