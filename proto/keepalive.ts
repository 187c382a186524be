/**
 * How an end of a connection between agent and controller, or between controllers, learns that the other is gone without
 * a word: it is asked after so much silence, and has so long to answer. Milliseconds. A replica that has died this way is
 * left within their sum, by agents and by other replicas (controller/transport/node-book.ts waits longer).
 */
export const keepaliveMs = { time: 5_000, timeout: 3_000 } as const;

/**
 * A controller waits for so long for an agent's answer: at least as long as agents may be busy with a large configuration.
 * One that is sent away for that would only have to come again; nothing is decided by whether it is there but what people
 * are told, and what waits for nodes waits longer.
 */
export const agentAnswerMs = 10_000;
