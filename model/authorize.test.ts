import { Reason } from '../reasons/reasons.js';
import {
  auditRequest,
  authorizeConnection,
  authorizeRequest,
  buildProgram,
  type Carries,
  kernelDenies,
  openProgram,
  type PolicyProgram,
  permitsFailOpen,
} from './authorize.js';
import { CompiledPolicy } from './compile-policy.js';
import type { AuthorizationPolicy, PolicyRule } from './policy.js';
import { type Source, sourceOf, unknownSource } from './source.js';
import { httpAttributes, policy, policyRule, request, seededRandom } from './test-resources.js';

const trustDomain = 'mesh.test';
const web = sourceOf({ trustDomain, namespace: 'front', serviceAccount: 'web' }, false);
const webProven = sourceOf({ trustDomain, namespace: 'front', serviceAccount: 'web' }, true);
const cart = sourceOf({ trustDomain, namespace: 'shop', serviceAccount: 'cart' }, false);

function program(...policies: AuthorizationPolicy[]): PolicyProgram {
  return buildProgram(policies.map((each) => new CompiledPolicy(each)));
}

const sources = (changes: Partial<PolicyRule['sources']>) => ({
  serviceAccounts: [],
  namespaces: [],
  spiffeIds: [],
  ...changes,
});
const http = (changes: Parameters<typeof httpAttributes>[0]) => policyRule({ http: httpAttributes(changes) });
const allow = (...rules: PolicyRule[]) => policy({ name: 'allow', rules });
const deny = (...rules: PolicyRule[]) => policy({ name: 'deny', action: 'DENY', rules });

function ask(
  of: PolicyProgram,
  method = 'GET',
  url = '/',
  headers: Record<string, string> = {},
  source = web,
) {
  const { reason, policy: by } = authorizeRequest(of, source, 80, request(method, url, headers));
  return [reason, by?.policy.name];
}

const fine = (name?: string) => [Reason.none, name];
const denied = [Reason.policy_denied, 'deny'];
const notAllowed = [Reason.policy_not_allowed, 'allow'];

describe('what a set of policies says', () => {
  test('none: everything is allowed', () => expect(ask(openProgram)).toEqual(fine()));
  test('ALLOW without rules allows nothing', () => expect(ask(program(allow()))).toEqual(notAllowed));
  test('ALLOW with an empty rule allows everything', () => {
    expect(ask(program(allow(policyRule())))).toEqual(fine('allow'));
  });
  test('DENY without rules denies nothing', () => expect(ask(program(deny()))).toEqual(fine()));
  test('DENY with an empty rule denies everything', () =>
    expect(ask(program(deny(policyRule())))).toEqual(denied));
  test('DENY wins over ALLOW', () => {
    expect(ask(program(allow(policyRule()), deny(policyRule())))).toEqual(denied);
  });
  test('one ALLOW of several is enough, and is named', () => {
    const other = policy({ name: 'other', rules: [policyRule()] });
    expect(ask(program(allow(), other))).toEqual(fine('other'));
  });
});

describe('sources', () => {
  test.each([
    ['service account', sources({ serviceAccounts: ['front/web'] }), web, true],
    ['another service account', sources({ serviceAccounts: ['front/other'] }), web, false],
    ['the same name in another namespace', sources({ serviceAccounts: ['shop/web'] }), web, false],
    ['namespace', sources({ namespaces: ['front'] }), web, true],
    ['another namespace', sources({ namespaces: ['shop'] }), web, false],
    ['SPIFFE id', sources({ spiffeIds: ['spiffe://mesh.test/ns/front/sa/web'] }), web, true],
    [
      'SPIFFE id of another trust domain',
      sources({ spiffeIds: ['spiffe://else/ns/front/sa/web'] }),
      web,
      false,
    ],
    ['any list of several', sources({ namespaces: ['shop'], serviceAccounts: ['front/web'] }), web, true],
    [
      'an unknown source by nothing named',
      sources({ namespaces: ['front'], serviceAccounts: ['/'] }),
      unknownSource,
      false,
    ],
    ['an unknown source by a rule for all', sources({}), unknownSource, true],
  ])('%s', (_, given, source, matches) => {
    const rule = policyRule({ sources: given });
    expect(ask(program(allow(rule)), 'GET', '/', {}, source)).toEqual(matches ? fine('allow') : notAllowed);
    expect(ask(program(deny(rule)), 'GET', '/', {}, source)).toEqual(matches ? denied : fine());
  });
});

describe('request attributes', () => {
  test.each([
    ['method', http({ methods: ['GET'] }), 'GET', '/', {}, true],
    ['another method', http({ methods: ['GET'] }), 'POST', '/', {}, false],
    ['exact path', http({ paths: ['/admin'] }), 'GET', '/admin', {}, true],
    ['exact path, not below it', http({ paths: ['/admin'] }), 'GET', '/admin/x', {}, false],
    ['path prefix', http({ paths: ['/admin*'] }), 'GET', '/admin/x', {}, true],
    ['path suffix', http({ paths: ['*.css'] }), 'GET', '/a/b.css', {}, true],
    ['any path', http({ paths: ['*'] }), 'GET', '/x', {}, true],
    ['path without its query', http({ paths: ['/a'] }), 'GET', '/a?b', {}, true],
    ['path by its normal form', http({ paths: ['/admin'] }), 'GET', '/x/../%61dmin', {}, true],
    [
      'host without regard to case and port',
      http({ hosts: ['Shop.Example'] }),
      'GET',
      'http://shop.EXAMPLE:81/',
      {},
      true,
    ],
    ['host suffix', http({ hosts: ['*.example'] }), 'GET', 'http://shop.example/', {}, true],
    ['another host', http({ hosts: ['*.example'] }), 'GET', 'http://shop.test/', {}, false],
    ['header', http({ headers: [{ name: 'X-A', values: ['1', '2*'] }] }), 'GET', '/', { 'x-a': '23' }, true],
    [
      'header, another value',
      http({ headers: [{ name: 'x-a', values: ['1'] }] }),
      'GET',
      '/',
      { 'x-a': '2' },
      false,
    ],
    ['header that is absent', http({ headers: [{ name: 'x-a', values: ['*'] }] }), 'GET', '/', {}, false],
    [
      'the Host header as sent',
      http({ headers: [{ name: 'Host', values: ['a:1'] }] }),
      'GET',
      'http://a:1/',
      {},
      true,
    ],
    ['all parts', http({ methods: ['GET'], paths: ['/a'] }), 'GET', '/b', {}, false],
  ])('%s', (_, rule, method, url, headers, matches) => {
    expect(ask(program(allow(rule)), method, url, headers)).toEqual(matches ? fine('allow') : notAllowed);
    expect(ask(program(deny(rule)), method, url, headers)).toEqual(matches ? denied : fine());
  });

  test("ports are the workload's own", () => {
    expect(ask(program(allow(policyRule({ ports: [80] }))))).toEqual(fine('allow'));
    expect(ask(program(allow(policyRule({ ports: [81] }))))).toEqual(notAllowed);
  });
});

describe('gRPC methods', () => {
  const calls = program(
    allow(http({ methods: ['POST'], paths: ['/shop.v1.Prices/Quote', '/grpc.health.v1.Health/*'] })),
    deny(http({ paths: ['/grpc.health.v1.Health/Watch'] })),
  );
  test.each([
    ['POST', '/shop.v1.Prices/Quote', fine('allow')],
    ['POST', '/shop.v1.Prices/Quotes', notAllowed],
    ['POST', '/shop.v1.prices/Quote', notAllowed],
    ['POST', '/shop.v1.Prices/Set', notAllowed],
    ['GET', '/shop.v1.Prices/Quote', notAllowed],
    ['POST', '/grpc.health.v1.Health/Check', fine('allow')],
    ['POST', '/grpc.health.v1.Health/Watch', denied],
    ['POST', '/shop.v1.Prices/%51uote', fine('allow')],
    ['POST', '/x/../shop.v1.Prices/Set', notAllowed],
  ])('%s %s', (method, path, answer) => expect(ask(calls, method, path)).toEqual(answer));
});

describe('attempts to slip past a DENY', () => {
  const byHeader = http({ headers: [{ name: 'x-debug', values: ['1'] }] });
  test('a repeated header does not hide a value', () => {
    expect(ask(program(deny(byHeader)), 'GET', '/', { 'x-debug': '0, 1' })).toEqual(denied);
  });
  test('and does not lend one to an ALLOW', () => {
    expect(ask(program(allow(byHeader)), 'GET', '/', { 'x-debug': '0, 1' })).toEqual(notAllowed);
  });
  test('a method in another case is denied, and not allowed', () => {
    const byMethod = http({ methods: ['DELETE'] });
    expect(ask(program(deny(byMethod)), 'delete')).toEqual(denied);
    expect(ask(program(allow(byMethod)), 'delete')).toEqual(notAllowed);
  });
  test.each([
    '/admin%2Fx',
    '//admin',
    '/admin;x',
    '/admin\\x',
    '/%2e%2e/admin',
    '/admin%00',
    '/admin%252e',
    '/x%',
  ])('the ambiguous path %s is refused wherever a policy reads the path', (path) => {
    const reads = deny(http({ paths: ['/admin'] }));
    expect(ask(program(reads), 'GET', path)).toEqual([Reason.ambiguous_path, 'deny']);
    expect(ask(program(allow(http({ paths: ['*'] }))), 'GET', path)).toEqual([
      Reason.ambiguous_path,
      'allow',
    ]);
    expect(ask(program(deny(http({ methods: ['PUT'] }))), 'GET', path)).toEqual(fine());
  });
});

describe('requireAuthenticated', () => {
  const rule = policyRule({ sources: sources({ namespaces: ['front'] }) });
  const strictAllow = { ...allow(rule), requireAuthenticated: true };
  const strictDeny = {
    ...deny(policyRule({ sources: sources({ namespaces: ['evil'] }) })),
    requireAuthenticated: true,
  };

  test('an ALLOW is not met by an address, and says so', () => {
    expect(ask(program(strictAllow))).toEqual([Reason.unauthenticated_source, 'allow']);
    expect(ask(program(strictAllow), 'GET', '/', {}, webProven)).toEqual(fine('allow'));
    expect(ask(program(strictAllow), 'GET', '/', {}, cart)).toEqual(notAllowed);
  });
  test('another ALLOW without it still may', () => {
    const lax = policy({ name: 'lax', rules: [rule] });
    expect(ask(program(strictAllow, lax))).toEqual(fine('lax'));
  });
  test('a DENY is met by whoever has not proven to be somebody else', () => {
    expect(ask(program(strictDeny))).toEqual([Reason.unauthenticated_source, 'deny']);
    expect(ask(program(strictDeny), 'GET', '/', {}, webProven)).toEqual(fine());
  });
});

test('where an ALLOW insists on proof the kernel does not go by addresses', () => {
  const strict = {
    ...allow(policyRule({ sources: sources({ namespaces: ['front'] }) })),
    requireAuthenticated: true,
  };
  expect(authorizeConnection(program(strict), webProven, 80, 'http').allowed).toBe(true);
  for (const address of [web, cart, unknownSource])
    expect(kernelDenies(program(strict), address, 80)).toBe(false);
});

test('a broken policy closes its targets, even where others allow', () => {
  const broken = policy({ name: 'broken', broken: true, rules: [policyRule()] });
  expect(ask(program(broken, allow(policyRule())))).toEqual([Reason.policy_invalid, 'broken']);
  expect(authorizeConnection(program(broken), web, 80, 'opaque').reason).toBe(Reason.policy_invalid);
});

test('CONNECT passes only where the opaque bytes behind it would pass', () => {
  const connect = (...policies: AuthorizationPolicy[]) => ask(program(...policies), 'CONNECT', '/');
  expect(connect()).toEqual(fine());
  expect(connect(allow(policyRule()))).toEqual(fine('allow'));
  expect(connect(deny(http({ paths: ['/admin'] })))).toEqual(denied);
  expect(connect(allow(http({ methods: ['CONNECT', 'GET'] })))).toEqual(notAllowed);
});

describe('connections', () => {
  const cases: [string, PolicyProgram, Carries, number][] = [
    ['no policy', openProgram, 'opaque', Reason.none],
    ['DENY of connections', program(deny(policyRule())), 'http', Reason.policy_denied],
    ['DENY of connections', program(deny(policyRule())), 'opaque', Reason.policy_denied],
    ['DENY of requests', program(deny(http({ methods: ['GET'] }))), 'http', Reason.none],
    ['DENY of requests', program(deny(http({ methods: ['GET'] }))), 'opaque', Reason.policy_denied],
    ['ALLOW of connections that matches', program(allow(policyRule())), 'http', Reason.none],
    ['ALLOW of connections that does not match', program(allow()), 'http', Reason.policy_not_allowed],
    ['ALLOW of requests', program(allow(http({ methods: ['GET'] }))), 'http', Reason.none],
    ['ALLOW of requests', program(allow(http({ methods: ['GET'] }))), 'opaque', Reason.policy_not_allowed],
    [
      'ALLOW of requests beside one of connections',
      program(allow(http({}), policyRule())),
      'opaque',
      Reason.none,
    ],
    [
      'ALLOW of a port beside one of requests',
      program(allow(policyRule({ ports: [1] }), http({}))),
      'http',
      Reason.none,
    ],
    ['a broken policy', program(policy({ broken: true })), 'http', Reason.none],
    [
      'a broken policy beside a DENY',
      program(policy({ broken: true }), deny(policyRule())),
      'http',
      Reason.policy_denied,
    ],
  ];
  test.each(cases)('%s (%#) on a connection that carries %s', (_, of, carries, reason) => {
    expect(authorizeConnection(of, web, 80, carries).reason).toBe(reason);
  });
});

describe('audit mode', () => {
  const audit = (of: AuthorizationPolicy): AuthorizationPolicy => ({ ...of, mode: 'Audit' });
  const names = (of: PolicyProgram, method = 'GET', path = '/') =>
    auditRequest(of, web, 80, request(method, path)).map((each) => each.policy.name);

  test('never refuses', () => {
    const of = program(audit(deny(policyRule())), audit(allow()), audit(policy({ broken: true })));
    expect(ask(of)).toEqual(fine());
    expect(authorizeConnection(of, web, 80, 'opaque').allowed).toBe(true);
  });
  test('names a DENY that would match', () => {
    const of = program(audit(deny(http({ methods: ['PUT'] }))));
    expect([names(of, 'PUT'), names(of, 'GET')]).toEqual([['deny'], []]);
  });
  test('names an ALLOW that would leave nothing allowed', () => {
    expect(names(program(audit(allow(http({ methods: ['PUT'] })))))).toEqual(['allow']);
    expect(names(program(audit(allow(http({ methods: ['GET'] })))))).toEqual([]);
  });
  test('an ALLOW in audit refuses nothing that an enforced one allows', () => {
    const enforced = policy({ name: 'enforced', rules: [policyRule()] });
    expect(names(program(audit(allow()), enforced))).toEqual([]);
  });
  test('names what fails closed: broken policies, and ambiguous paths where it reads the path', () => {
    expect(names(program(audit(policy({ name: 'broken', broken: true }))))).toEqual(['broken']);
    expect(names(program(audit(deny(http({ paths: ['/x'] })))), 'GET', '/a//b')).toEqual(['deny']);
  });
  test('judges opaque connections by the same rules', () => {
    const of = program(audit(deny(http({ methods: ['GET'] }))));
    expect(auditRequest(of, web, 80, null)).toHaveLength(1);
  });
});

test('fail mode open is permitted only where nothing enforced protects the workload', () => {
  const audited = { ...deny(policyRule()), mode: 'Audit' as const };
  expect(permitsFailOpen(openProgram)).toBe(true);
  expect(permitsFailOpen(program(audited))).toBe(true);
  expect([allow(), deny(), policy({ broken: true })].map((each) => permitsFailOpen(program(each)))).toEqual([
    false,
    false,
    false,
  ]);
});

describe('over random policies', () => {
  const random = seededRandom(9);
  const maybe = <Item>(items: readonly Item[], chance = 0.4): Item[] => items.filter(() => random() < chance);
  const randomRule = (): PolicyRule =>
    policyRule({
      sources: sources({
        namespaces: maybe(['front', 'shop'], 0.3),
        serviceAccounts: maybe(['front/web'], 0.3),
      }),
      ports: maybe([80, 81], 0.3),
      http:
        random() < 0.3
          ? httpAttributes({ methods: maybe(['GET', 'PUT']), paths: maybe(['/a', '/b*']) })
          : null,
    });
  const randomPolicy = (index: number): AuthorizationPolicy =>
    policy({
      name: `p${index}`,
      action: random() < 0.5 ? 'ALLOW' : 'DENY',
      mode: random() < 0.2 ? 'Audit' : 'Enforce',
      requireAuthenticated: random() < 0.2,
      broken: random() < 0.05,
      rules: Array.from({ length: Math.floor(random() * 3) }, randomRule),
    });
  const programs = Array.from({ length: 500 }, () =>
    program(...Array.from({ length: Math.floor(random() * 4) }, (_, index) => randomPolicy(index))),
  );
  const everySource: Source[] = [web, webProven, cart, unknownSource];

  test('what is refused at the connection is refused at every request', () => {
    for (const of of programs) {
      for (const source of everySource) {
        if (authorizeConnection(of, source, 80, 'http').allowed) continue;
        for (const path of ['/a', '/b', '/c']) {
          expect(authorizeRequest(of, source, 80, request('GET', path)).allowed).toBe(false);
        }
      }
    }
  });

  test('the kernel denies only what authorization refuses, and all of it that is its to know', () => {
    let denials = 0;
    for (const of of programs) {
      const strict = [...of.deny, ...of.allow].some((each) => each.policy.requireAuthenticated);
      for (const source of everySource) {
        for (const port of [80, 81, 82]) {
          const denies = kernelDenies(of, source, port);
          if (denies) denials += 1;
          for (const carries of ['http', 'opaque'] as const) {
            if (denies) expect(authorizeConnection(of, source, port, carries).allowed).toBe(false);
          }
          if (!strict) expect(denies).toBe(!authorizeConnection(of, source, port, 'http').allowed);
        }
      }
    }
    expect(denials).toBeGreaterThan(500);
  });
});
