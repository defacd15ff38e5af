package dev.lockstep.train.strategy.server;

import dev.lockstep.train.strategy.server.ParameterServerStrategy.Options;

/**
 * Who serves and who works in a group of so many ranks: the first ranks serve alone where servers
 * are dedicated, else every rank does both.
 *
 * @param ranks of the group
 */
record Serving(Options options, int ranks) {
  /** Every rank serves and works, and none waits for others. */
  static Serving byAll(int ranks) {
    return new Serving(Options.asynchronous(), ranks);
  }

  /** Ranks that only serve, from 0 on; always fewer than all. */
  int dedicated() {
    return options.dedicated(ranks);
  }

  /** Ranks that keep a part of the parameters, from 0 on. */
  int servers() {
    return dedicated() == 0 ? ranks : dedicated();
  }

  int workers() {
    return ranks - dedicated();
  }

  boolean serves(int rank) {
    return rank < servers();
  }

  boolean works(int rank) {
    return rank >= dedicated();
  }

  /** Whether the run goes on without a rank. */
  boolean canLose(int rank) {
    return dedicated() > 0 && rank >= dedicated();
  }
}
