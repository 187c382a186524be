/** Joins the configuration to its two sources: what an earlier run saved, and the controller's stream. */
import type { Flags } from '../start/parse-flags.js';
import type { ProcessLog } from '../start/process-log.js';
import type { ConfigChannel } from './config-channel.js';
import { ConfigClient, type ConfigClientParts } from './config-client.js';
import type { Configuration } from './configuration.js';
import type { ControllerAccess } from './controller-access.js';
import type { SavedConfiguration } from './saved-configuration.js';
import type { Timers } from './timers.js';
import type { WantedDetails } from './wanted-details.js';

export interface ControllerParts {
  readonly flags: Flags;
  readonly access: ControllerAccess;
  readonly channel: ConfigChannel;
  readonly version: string;
  readonly configuration: Configuration;
  readonly wanted: WantedDetails;
  /** The controller has sent all that it has; called before the last of it is applied. */
  readonly onAnswer: () => void;
  readonly reporter: ConfigClientParts['reporter'];
  readonly timers: Timers;
  readonly random: () => number;
  readonly log: ProcessLog;
}

export interface ControllerConnection {
  readonly client: ConfigClient;
  /** undefined: nothing is kept. */
  readonly saved: SavedConfiguration | undefined;
}

/**
 * What was saved comes first: it needs no gRPC, which takes longer to load than all the rest, and with it the workloads
 * are served already.
 */
export async function connectController(parts: ControllerParts): Promise<ControllerConnection> {
  const { flags, access, channel, configuration, wanted, timers, random, log, version } = parts;
  const saved = flags.state === undefined ? undefined : await restore(flags.state, parts);
  const [{ configProtocol, loadConfigService }, { configStreamOpener }, { decodeDelta }, { encodeRefusal }] =
    await Promise.all([
      import('../../../proto/load-config-service.js'),
      import('./open-config-stream.js'),
      import('../../../proto/decode-delta.js'),
      import('../../../proto/encode-resource.js'),
    ]);
  const service = loadConfigService();
  const client = new ConfigClient({
    open: configStreamOpener(service, access, channel),
    node: flags.node,
    version,
    protocol: configProtocol,
    held: () => configuration.held(),
    transports: () => configuration.transports(),
    wants: () => wanted.all,
    apply: (delta) => {
      if (delta.complete) parts.onAnswer();
      const refused = configuration.apply(decodeDelta(delta));
      // Before the acknowledgement, so that a restart serves at least what the controller believes in force.
      saved?.record(delta, refused.length === 0);
      return refused.map((one) => encodeRefusal(one.kind, one.name, one.version, one.problems));
    },
    reporter: parts.reporter,
    timers,
    random,
    log,
  });
  // A node that has not joined yet serves what was saved meanwhile.
  void access.ready.then(() => client.start());
  access.onReplaced(() => client.reopen());
  return { client, saved };
}

/** Puts in force what was saved. */
async function restore(
  folder: string,
  { configuration, wanted, log }: ControllerParts,
): Promise<SavedConfiguration> {
  const [{ loadConfigDefinition }, { SavedConfiguration }] = await Promise.all([
    import('../../../proto/load-config-definition.js'),
    import('./saved-configuration.js'),
  ]);
  const saved = new SavedConfiguration({
    folder,
    definition: loadConfigDefinition(),
    current: () => ({ version: configuration.snapshot.version, resources: configuration.resources() }),
    wants: () => wanted.all,
    log,
  });
  const held = saved.load();
  if (held !== null) {
    wanted.used(held.wants);
    configuration.apply(held);
  }
  return saved;
}
