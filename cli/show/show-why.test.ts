import { expectGolden } from './expect-golden.js';
import { formatWhy, isAllowed, type WhyAnswer } from './show-why.js';

describe('why', () => {
  const none = { reason: 'none' };
  const identity = 'spiffe://shop.example/ns/shop/sa/cart';
  const tls = { transport: 'tls', cause: 'none', mode: 'strict', identity } as const;
  const plaintext = {
    transport: 'plaintext',
    cause: 'destination_not_ready',
    mode: 'permissive',
    identity: '',
  } as const;

  test('a gRPC client is told the gRPC status that it would get', () => {
    const refused = {
      reason: 'no_matching_route',
      status: 404,
      grpc: 'UNIMPLEMENTED',
      summary: 'none matches',
    };
    const destination = { kind: 'service', service: 'shop/ledger', port: 9090 } as const;
    const answer = { snapshot: 1, destination, protocol: 'grpc', routesAsked: [], backends: [], ...refused };
    expect(formatWhy(answer)).toMatch(/^answer +UNIMPLEMENTED no_matching_route: none matches$/m);
    expect(formatWhy({ ...answer, protocol: 'http' })).toMatch(/^answer +404 no_matching_route/m);
  });

  const allowed: WhyAnswer = {
    snapshot: 17,
    destination: { kind: 'service', service: 'shop/cart', port: 80 },
    protocol: 'http',
    routesAsked: ['shop/cart'],
    route: 'shop/cart/canary',
    ...none,
    backends: [
      {
        backend: 'shop/cart:80',
        share: 0.9,
        ...none,
        target: '/v2/x',
        endpoints: [
          {
            endpoint: '10.66.0.3:8080',
            workload: 'shop.cart-1',
            name: '',
            node: '',
            ready: true,
            ...tls,
            allowed: true,
            policy: null,
            audit: ['shop/trial'],
            ...none,
          },
          {
            endpoint: '10.66.0.4:8080',
            workload: 'shop.cart-2',
            name: '',
            node: '',
            ready: false,
            ...plaintext,
            allowed: false,
            policy: 'shop/no-batch',
            audit: [],
            reason: 'policy_denied',
            status: 403,
            summary: 'a DENY policy matches',
          },
        ],
      },
      {
        backend: '',
        share: 0.1,
        reason: 'backend_invalid',
        status: 500,
        summary: 'the backend does not exist',
        hint: 'the route’s condition says which',
        endpoints: [],
      },
    ],
  };

  test('a request that some endpoints would get', () => {
    expect(isAllowed(allowed)).toBe(true);
    expectGolden('why-allowed', formatWhy(allowed));
  });

  test('a request that nothing matches', () => {
    const refused: WhyAnswer = {
      snapshot: 17,
      destination: { kind: 'service', service: 'shop/cart', port: 80 },
      protocol: 'http',
      routesAsked: ['shop/cart', 'shop/web'],
      reason: 'no_matching_route',
      status: 404,
      summary: 'routes are attached to the service and none matches',
      hint: 'weft routes lists them',
      backends: [],
    };
    expect(isAllowed(refused)).toBe(false);
    expectGolden('why-refused', formatWhy(refused));
  });
});
