package dev.lockstep.federated;

import java.util.Arrays;

/** How far each client has answered, so that no answer counts twice. Not thread-safe. */
final class AnswerTurns {
  private final long[] newest;

  AnswerTurns(int clients) {
    newest = new long[clients];
    Arrays.fill(newest, -1);
  }

  /** A client has two turns in a round: it tells its loss, then it trains. */
  private static long turn(int round, int kind) {
    return 2L * round + (kind == Protocol.LOSS ? 0 : 1);
  }

  void answered(int client, int round, int kind) {
    newest[client] = Math.max(newest[client], turn(round, kind));
  }

  /** Whether a client has answered that, or something later. */
  boolean hasAnswered(int client, int round, int kind) {
    return turn(round, kind) <= newest[client];
  }
}
