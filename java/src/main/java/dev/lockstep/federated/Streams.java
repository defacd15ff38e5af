package dev.lockstep.federated;

import dev.lockstep.data.SplitMix64;

/** Random numbers of a federation: a stream for each purpose, round and client. */
final class Streams {
  /** What a stream is for. */
  enum Purpose {
    PARTITION,
    SELECTION,
    TRAINING,
    LATENCY,
    ATTACK
  }

  private Streams() {}

  static long seed(long seed, Purpose purpose, long round, long client) {
    long ofPurpose = SplitMix64.streamSeed(seed, purpose.ordinal());
    return SplitMix64.streamSeed(SplitMix64.streamSeed(ofPurpose, round), client);
  }

  static SplitMix64 of(long seed, Purpose purpose, long round, long client) {
    return new SplitMix64(seed(seed, purpose, round, client));
  }
}
