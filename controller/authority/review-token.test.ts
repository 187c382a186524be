import type { ApiRequest } from '../kubernetes/api-client.js';
import { TokenReview } from './review-token.js';

const serviceAccount = { namespace: 'weft-system', name: 'weft' };
const good = {
  authenticated: true,
  audiences: ['weft'],
  user: {
    username: 'system:serviceaccount:weft-system:weft',
    extra: { 'authentication.kubernetes.io/node-name': ['node1'] },
  },
};

function setUp(answer: { status: number; body: unknown } | Error) {
  const sent: ApiRequest[] = [];
  const client = {
    send: (request: ApiRequest) => {
      sent.push(request);
      if (answer instanceof Error) return Promise.reject(answer);
      return Promise.resolve({ ...answer, retryAfterMs: 0 });
    },
  };
  return { review: new TokenReview({ client, audience: 'weft', serviceAccount }), sent };
}

test('a token of a proxy’s pod proves the node that the pod runs on', async () => {
  const { review, sent } = setUp({ status: 201, body: { status: good } });
  expect(await review.authenticate('t', 'node1')).toEqual({ ok: true, node: 'node1' });
  expect(sent[0]?.body).toMatchObject({ spec: { token: 't', audiences: ['weft'] } });
});

test.each([
  ['of another node', good, 'node2', 'node_not_authenticated'],
  ['that is not known', { authenticated: false, error: 'expired' }, 'node1', 'node_token_unknown'],
  ['for another audience', { ...good, audiences: ['https://api'] }, 'node1', 'node_token_unknown'],
  ['without an audience', { ...good, audiences: undefined }, 'node1', 'node_token_unknown'],
  [
    'of another account',
    { ...good, user: { ...good.user, username: 'system:serviceaccount:shop:weft' } },
    'node1',
    'node_not_authenticated',
  ],
  [
    'that names no node',
    { ...good, user: { username: good.user.username } },
    'node1',
    'node_not_authenticated',
  ],
])('a token %s is refused', async (_what, status, claimed, reason) => {
  const { review } = setUp({ status: 201, body: { status } });
  expect(await review.authenticate('t', claimed)).toMatchObject({ ok: false, reason });
});

test.each([
  ['does not answer', new Error('silence')],
  ['forbids it', { status: 403, body: {} }],
  ['answers nonsense', { status: 201, body: null }],
])('where the API server %s nobody is let in', async (_what, answer) => {
  const { review } = setUp(answer);
  expect(await review.authenticate('t', 'node1')).toMatchObject({
    ok: false,
    reason: 'node_not_authenticated',
  });
});
