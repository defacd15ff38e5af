package dev.lockstep.federated.population;

import dev.lockstep.data.SplitMix64;

/** Random numbers of a federation: a stream for each purpose, round and client. */
public final class Streams {
  /** What a stream is for. */
  public enum Purpose {
    PARTITION,
    SELECTION,
    TRAINING,
    LATENCY,
    ATTACK
  }

  private Streams() {}

  public static long seed(long seed, Purpose purpose, long round, long client) {
    long ofPurpose = SplitMix64.streamSeed(seed, purpose.ordinal());
    return SplitMix64.streamSeed(SplitMix64.streamSeed(ofPurpose, round), client);
  }

  public static SplitMix64 of(long seed, Purpose purpose, long round, long client) {
    return new SplitMix64(seed(seed, purpose, round, client));
  }
}
