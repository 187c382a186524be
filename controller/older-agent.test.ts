/** An agent one version older, by its own description of the contract, at this build's controller over a real socket. */
import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import type { AgentMessage, ReceivedDelta } from '../proto/messages.js';
import { loadOlderConfigService } from '../proto/test-older-contract.js';
import { ControllerFixture, routeYaml, serviceYaml, sliceYaml, workloadYaml } from './test-fixture.js';

const { Client } = loadOlderConfigService();

let fixture: ControllerFixture;
let stream: ClientDuplexStream<AgentMessage, ReceivedDelta>;
let deltas: ReceivedDelta[];
let failure: Error | undefined;

beforeEach(async () => {
  fixture = new ControllerFixture();
  const documents = [
    serviceYaml('web', '10.96.0.10'),
    sliceYaml('web', '10.1.0.2'),
    workloadYaml('web-1', '10.1.0.2'),
    routeYaml('web', 'web', 'web'),
  ];
  await fixture.start({ 'shop.yaml': documents.join('---') });
  deltas = [];
  failure = undefined;
  const client = new Client(fixture.address, credentials.createInsecure());
  stream = client.Stream();
  stream.on('data', (delta: ReceivedDelta) => {
    deltas.push(delta);
    stream.write({ ack: { nonce: delta.nonce, refusals: [] } });
  });
  stream.on('error', (error: Error) => {
    failure = error;
  });
  stream.on('close', () => client.close());
  const held = { held: [], transports: [] };
  stream.write({ hello: { protocol: 1, node: 'local', agentVersion: '0.0.9', ...held } });
});

afterEach(() => {
  stream.cancel();
  fixture.stop();
});

const received = () => deltas.flatMap(({ upserts }) => upserts);
const node = () => fixture.controller.nodes().find((one) => one.node === 'local');
const reached = () => {
  const version = fixture.controller.publisher.snapshot?.version;
  return fixture.waitFor(
    'acknowledgement',
    () => node()?.connected === true && node()?.ackedVersion === version,
  );
};

test('it gets all of the configuration, in kinds that it knows, and what it acknowledges is reached', async () => {
  await reached();
  expect(deltas[0]).toMatchObject({ complete: true });
  expect(
    received()
      .map(({ name, body }) => `${body} ${name}`)
      .sort(),
  ).toEqual([
    'endpoints shop/web',
    'httpRoute shop/web',
    'mesh mesh',
    'service shop/web',
    'workload shop.web-1',
  ]);
  expect(node()).toMatchObject({ agentVersion: '0.0.9', refusals: [] });
  expect(failure).toBeUndefined();
});

test('changes and removals reach it, and what it reports is taken', async () => {
  await reached();
  stream.write({ report: { workloads: [{ uid: 'shop.web-1', captured: true, identityReady: true }] } });
  await fixture.write(
    'more.yaml',
    [serviceYaml('late', '10.96.0.11'), sliceYaml('late', '10.1.0.2')].join('---'),
  );
  await fixture.waitFor('the service', () => received().some(({ name }) => name === 'shop/late'));
  await fixture.remove('more.yaml');
  const removed = () => deltas.some(({ removals }) => removals.some(({ name }) => name === 'shop/late'));
  await fixture.waitFor('its removal', removed);
  await reached();
  expect(received().every(({ body }) => body !== undefined)).toBe(true);
  expect(failure).toBeUndefined();
});
