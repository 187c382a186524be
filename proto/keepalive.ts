/**
 * How an end of a connection between agent and controller, or between controllers, learns that the other is gone without
 * a word: it is asked after so much silence, and has so long to answer. Milliseconds. A replica that has died this way is
 * left within their sum, by agents and by other replicas (controller/transport/node-book.ts waits longer).
 */
export const keepaliveMs = { time: 5_000, timeout: 3_000 } as const;
