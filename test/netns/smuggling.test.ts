/**
 * Requests that two parsers may read in two ways, through every bridge between HTTP/1.1 and HTTP/2: of each, the
 * application behind gets exactly one well-formed request, or none. `client` speaks by two agents over mutual TLS,
 * `stranger` past its own machine's, to the application's agent alone.
 */
import { awaitEvent } from './harness/await-event.js';
import { http1Attempts, type Outcome, textOf } from './harness/http1-attempts.js';
import { type Field, http2Attempts, type RawAnswer } from './harness/http2-attempts.js';
import { policy } from './harness/manifests.js';
import { Mesh, type RawResult } from './harness/mesh.js';
import { sumSamples } from './harness/metrics.js';
import { fixture, python, type Service, startFixture } from './harness/services.js';

/** What an application got, as far as it was a whole request. */
interface Arrived {
  readonly case: string;
  /** What is wrong with it; empty: nothing. */
  readonly wrong: string;
  /** Its connection ended before all of its content was there: no request. */
  readonly cut: boolean;
}

const heads =
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ ((http:\/\/server)?\/[\x21-\x7e]*|\*) HTTP\/1\.1\r\n([!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*\r\n)+\r\n$/;

/** One line of fixtures/raw-server.py: whether a second parser could read it in another way. */
function readHttp1(line: string): Arrived {
  const { head, body, trailer } = JSON.parse(line) as { head: string; body: number; trailer: string };
  const lines = head.split('\r\n').slice(1, -2);
  const values = (name: string) =>
    lines.flatMap((one) =>
      one.toLowerCase().startsWith(`${name}:`) ? [one.slice(name.length + 1).trim()] : [],
    );
  const [lengths, codings] = [values('content-length'), values('transfer-encoding')];
  const framed =
    lengths.length + codings.length <= 1 &&
    lengths.every((value) => /^\d+$/.test(value) && Number(value) >= body) &&
    codings.every((value) => value === 'chunked');
  const hop = ['upgrade', 'keep-alive', 'proxy-connection', 'http2-settings'].filter(
    (name) => values(name).length > 0,
  );
  const wrong = [
    heads.test(head) ? '' : `its form: ${head}`,
    framed ? '' : `its framing: ${[...lengths, ...codings]}, content of ${body}`,
    values('host').length === 1 ? '' : 'its host',
    hop.join(),
    /^([!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*\r\n)*$/.test(trailer)
      ? ''
      : `its trailers: ${trailer}`,
  ];
  const cut = lengths.some((value) => Number(value) > body);
  return { case: values('x-case').join(), wrong: wrong.filter(Boolean).join('; '), cut };
}

/** One line of fixtures/http2-record.py; the library behind it has checked the rest. */
function readHttp2(line: string): Arrived {
  const { fields, broken } = JSON.parse(line) as { fields?: readonly Field[]; broken?: string };
  if (fields === undefined) return { case: '', wrong: broken ?? line, cut: false };
  const values = (name: string) => fields.flatMap(([own, value]) => (own === name ? [value] : []));
  const path = values(':path');
  const wrong = [
    path.length === 1 && /^(\/[\x21-\x7e]*|\*)$/.test(path[0] ?? '') ? '' : `its path: ${path}`,
    values(':authority').join() === 'server' || values(':authority').join() === 'SERVER'
      ? ''
      : 'its authority',
  ];
  return { case: values('x-case').join(), wrong: wrong.filter(Boolean).join('; '), cut: false };
}

describe('smuggling', () => {
  let mesh: Mesh;
  let next = 100;
  const applications = new Map<
    string,
    { readonly service: Service; readonly read: (line: string) => Arrived }
  >();

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'client' },
          { name: 'h1', ports: [{ name: 'h1', port: 8080, appProtocol: 'http' }] },
          { name: 'h2', ports: [{ name: 'h2', port: 8080, appProtocol: 'http2' }] },
          { name: 'stranger', capture: null },
        ],
        services: [
          { name: 'h1', host: 1, port: 8080, targetPort: 8080, appProtocol: 'http' },
          { name: 'h2', host: 2, port: 8080, targetPort: 8080, appProtocol: 'http2' },
        ],
        more: [policy('no-admin', { action: 'DENY', rules: [{ http: { paths: ['/admin', '/admin/*'] } }] })],
      },
      async ({ lab }) => {
        const h1 = await startFixture(lab.pod('h1'), 'raw-server.py', 8080);
        const h2 = await startFixture(lab.pod('h2'), 'http2-record.py', 8080);
        applications.set('h1', { service: h1, read: readHttp1 }).set('h2', { service: h2, read: readHttp2 });
      },
    );
  });
  afterAll(() => mesh?.close());

  const arrived = (application: string): Arrived[] => {
    const { service, read } = applications.get(application) as {
      service: Service;
      read: (line: string) => Arrived;
    };
    return service.process.stdout.split('\n').filter(Boolean).map(read);
  };
  const addressOf = (pod: string, application: string) =>
    pod === 'stranger' ? mesh.pod(application).ipv4 : application === 'h1' ? '10.97.0.1' : '10.97.0.2';
  const run = (pod: string, program: string, application: string, input: unknown, ...more: string[]) =>
    mesh.pod(pod).run([python, fixture(program), addressOf(pod, application), '8080', ...more], {
      input: JSON.stringify(input),
      timeoutMs: 100_000,
    });
  const refusals = async () => sumSamples(await mesh.samples(), 'weft_refusals_total', {});

  /** A whole request of the pod's, so that all that was sent before it has been seen. */
  const probe = async (pod: string, application: string): Promise<void> => {
    const number = String(next++);
    const url = `http://${addressOf(pod, application)}:8080/probe`;
    const status = await mesh.status(
      pod,
      '--max-time',
      '5',
      '-H',
      'Host: server',
      '-H',
      `X-Case: ${number}`,
      url,
    );
    expect(status).toBe(200);
    await awaitEvent('the probe to arrive', 5_000, () =>
      arrived(application).some((one) => one.case === number),
    );
  };

  /** What differs from what should have come of each attempt. */
  function judge(
    application: string,
    before: number,
    attempts: readonly { readonly what: string; readonly outcome: Outcome; readonly number: number }[],
    ended: readonly boolean[],
  ): string[] {
    const came = arrived(application)
      .slice(before)
      .filter(({ cut }) => !cut);
    const malformed = came.filter(({ wrong }) => wrong !== '').map((one) => `case ${one.case}: ${one.wrong}`);
    const known = new Set(attempts.map(({ number }) => String(number)));
    const foreign = came.filter((one) => !known.has(one.case) && !/^\d+$/.test(one.case));
    const odd = attempts.flatMap(({ what, outcome, number }, at) => {
      const count = came.filter((one) => one.case === String(number)).length;
      const right = outcome === 'one' ? count === 1 : outcome === 'none' ? count === 0 : count <= 1;
      if (!right) return [`${what}: ${count} requests instead of ${outcome}`];
      return ended[at] === true ? [] : [`${what}: no end, and no answer`];
    });
    return [...malformed, ...foreign.map((one) => `a request of nobody's: ${one.case}`), ...odd];
  }

  const ways = ['client', 'stranger'].flatMap((pod) =>
    ['h1', 'h2'].map((application) => [pod, application] as const),
  );

  test.each(ways)('by HTTP/1.1, from %s to %s', async (pod, application) => {
    const attempts = http1Attempts.map((one) => ({ ...one, number: next++ }));
    const [before, counted] = [arrived(application).length, await refusals()];
    const texts = attempts.map((one) => textOf(one, one.number));
    const answers = JSON.parse(await run(pod, 'raw-requests.py', application, texts, '4')) as RawResult[];
    await probe(pod, application);
    const ended = answers.map(({ received, end }, at) => {
      if (attempts[at]?.outcome === 'one') return /HTTP\/1\.1 200 /.test(received);
      // What waits for the rest of it is no request yet.
      return end !== 'silent' || /length longer|cut off/.test(attempts[at]?.what ?? '');
    });
    expect(judge(application, before, attempts, ended)).toEqual([]);
    const refused = attempts.filter(({ outcome }) => outcome === 'none').length;
    expect((await refusals()) - counted).toBeGreaterThanOrEqual(refused - 2);
  });

  test.each(ways)('by HTTP/2, from %s to %s', async (pod, application) => {
    const attempts = http2Attempts(next).map((one, at) => ({ ...one, number: next + at }));
    next += attempts.length;
    const [before, counted] = [arrived(application).length, await refusals()];
    const streams = attempts.map(({ stream }) => stream);
    const answers = JSON.parse(await run(pod, 'http2-raw.py', application, streams)) as RawAnswer[];
    await probe(pod, application);
    const ended = answers.map(({ headers, reset, goaway }, at) => {
      const status = headers?.[':status'] ?? '';
      if (attempts[at]?.outcome === 'one') return status === '200';
      return reset !== undefined || goaway !== undefined || /^4\d\d$/.test(status);
    });
    expect(judge(application, before, attempts, ended)).toEqual([]);
    const refused = attempts.filter(({ outcome }) => outcome === 'none').length;
    expect((await refusals()) - counted).toBeGreaterThanOrEqual(refused);
  });

  test.each(
    [
      ...[
        'bad_request_line',
        'bad_version',
        'bare_line_feed',
        'obsolete_fold',
        'space_before_colon',
        'not_http',
      ],
      ...['bad_field_name', 'bad_field_value', 'missing_host', 'repeated_host', 'bad_host', 'bad_target'],
      ...[
        'length_and_encoding',
        'bad_content_length',
        'bad_transfer_encoding',
        'content_forbidden',
        'bad_expect',
      ],
      ...[
        'bad_connection_option',
        'bad_chunk',
        'bad_trailer',
        'head_too_large',
        'target_too_long',
        'too_many_fields',
      ],
    ]
      .map((name) => `http1_${name}`)
      .concat(
        ['bad_head', 'bad_field', 'host_mismatch', 'length_mismatch', 'bad_trailer', 'head_too_large'].map(
          (name) => `http2_${name}`,
        ),
        ['policy_denied', 'ambiguous_path', 'connect_not_allowed'],
      ),
  )('%s has been counted', async (reason) => {
    expect(sumSamples(await mesh.samples(), 'weft_refusals_total', { reason })).toBeGreaterThan(0);
  });
});
